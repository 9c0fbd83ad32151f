/** Train, Pause or Resume, Step and Stop, and how far the run has come. */
import { byId, setEnabled, setShown, setText } from "../dom";
import { formatTimeLeft } from "../format";
import type { Intents } from "../lab";
import { activeRun, changedSince, type Run, type State } from "../store";

export function mountRunBar(intents: Intents) {
  const [train, pause, step, stop] = [byId("train"), byId("pause"), byId("step"), byId("stop")];
  const progress = byId("progress", HTMLProgressElement);
  const [text, anew, offer, offerText, finish] = [
    byId("progress-text"),
    byId("anew"),
    byId("offer"),
    byId("offer-text"),
    byId("finish"),
  ];

  const onPress = (button: HTMLElement, act: () => void) =>
    button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && act());
  onPress(train, () => void intents.train());
  onPress(pause, () => intents.pauseOrResume());
  onPress(step, () => intents.step());
  onPress(stop, () => intents.stop());
  onPress(finish, () => {
    train.focus();
    intents.stop();
  });

  return (state: State) => {
    const { form, catalogue, activeId } = state;
    const run = activeRun(state);
    const ending = run?.phase === "stopping";
    setEnabled(train, form !== null);
    setEnabled(pause, run?.phase === "running" || run?.phase === "paused");
    setText(pause, run?.phase === "paused" ? "Resume" : "Pause");
    setEnabled(step, form !== null && !ending);
    setEnabled(stop, activeId !== null && !ending);

    const latest = run ?? state.runs.at(-1) ?? null;
    const share = latest === null ? 0 : latest.history.length / latest.experiment.training.epochs;
    if (progress.value !== share) progress.value = share;
    setText(text, form === null ? "Loading…" : latest === null ? "Ready" : progressText(latest, share));
    // Without words when hidden, for they also describe the button.
    const changed = run !== null && form !== null && changedSince(form, run);
    setShown(anew, changed);
    setText(anew, changed ? "The controls have changed: Train will start anew." : "");

    const held = run !== null && !ending && run.events.findLast(({ kind }) => kind === "held" || kind === "lost");
    const offered = held && held.kind === "held" ? held : null;
    setShown(offer, offered !== null);
    if (offered !== null && catalogue !== null)
      setText(offerText, `100 % for ${catalogue.memorised_streak} epochs in a row, from epoch ${offered.epoch} on.`);
  };
}

function progressText({ phase, history, experiment }: Run, share: number): string {
  const percent = `${Math.floor(share * 100)} %`;
  const left = (experiment.training.epochs - history.length) * history.recentMilliseconds();
  switch (phase) {
    case "waiting":
      return "Starting…";
    case "running":
      return `${percent}, ${formatTimeLeft(left)}`;
    case "paused":
      return `${percent}, paused`;
    case "stopping":
      return `${percent}, ending…`;
    case "ended":
      if (history.last?.stopped_early) return `${percent}, done: stopped early`;
      return share === 1 ? "100 %, done" : `${percent}, stopped`;
    case "failed":
      return `${percent}, failed`;
  }
}
