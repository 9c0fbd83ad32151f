/** The outcome so far, as the largest thing on the page, with its measures. */
import { byId, setText } from "../dom";
import { formatCount, formatLoss, formatMilliseconds } from "../format";
import type { Intents } from "../lab";
import { shownRun, type State } from "../store";

export function mountOutcome(_intents: Intents) {
  const [score, scoreNote, epoch, epochNote] = [byId("score"), byId("score-note"), byId("epoch"), byId("epoch-note")];
  const [loss, pace] = [byId("loss"), byId("pace")];
  return (state: State) => {
    const run = shownRun(state);
    const experiment = run?.experiment ?? state.form?.experiment;
    if (experiment === undefined) return;
    const last = run?.history.last ?? null;
    const measured = run?.result ?? last;
    const images = experiment.dataset.images;
    setText(score, measured === null ? `${images} images` : `${measured.images_right} of ${images}`);
    const outcome = run?.result === null || run === null ? "" : `; ${run.result.label}`;
    setText(scoreNote, measured === null ? "not trained yet" : `images right${outcome}`);
    setText(epoch, formatCount(last?.epoch ?? 0));
    setText(epochNote, `of ${formatCount(experiment.training.epochs)} epochs`);
    setText(loss, measured === null ? "–" : formatLoss(measured.loss));
    setText(pace, run === null || last === null ? "–" : formatMilliseconds(run.history.recentMilliseconds()));
  };
}
