/** The name of the run on stage, and its outcome so far, as the largest text on the page. */
import { byId, setText } from "../dom";
import { formatCount, formatLoss, formatMilliseconds } from "../format";
import type { Intents } from "../lab/intents";
import { changedText, titleOf } from "../run-words";
import { nameOf, shownRun, stagedExperiment, type State } from "../store";

export function mountOutcome(_intents: Intents) {
  const name = byId("stage-name");
  const score = byId("score");
  const unit = byId("score-unit");
  const verdict = byId("score-verdict");
  const epoch = byId("epoch");
  const epochNote = byId("epoch-note");
  const loss = byId("loss");
  const pace = byId("pace");
  return (state: State) => {
    const run = shownRun(state);
    const experiment = stagedExperiment(state);
    const { form } = state;
    // The form shows its own problems; this view keeps the last experiment without any.
    if (experiment === null || form === null || (run === null && form.problems.length > 0)) return;
    const last = run?.history.last ?? null;
    // During a run, the measures that the verdict uses: in inference, if training differs from it.
    const measured = run?.result ?? (last && { ...last, ...last.inference });
    const { images } = experiment.dataset;
    // The changes of an unchanged form are those of its run, and stand beside the name.
    const changes = run !== null && changedText(form, run) !== "" ? run.changes : [];
    setText(name, run === null ? nameOf(state, form) : titleOf(state, { ...run, changes }));
    setText(score, measured === null ? `${images} images` : `${measured.images_right} of ${images}`);
    const outcome = run?.result?.label ?? "";
    setText(unit, measured === null ? "not trained yet" : outcome === "" ? "images right" : "images right; ");
    setText(verdict, outcome);
    setText(epoch, formatCount(last?.epoch ?? 0));
    setText(epochNote, `of ${formatCount(experiment.training.epochs)} epochs`);
    setText(loss, measured === null ? "–" : formatLoss(measured.loss));
    setText(pace, run === null || last === null ? "–" : formatMilliseconds(run.history.recentMilliseconds()));
  };
}
