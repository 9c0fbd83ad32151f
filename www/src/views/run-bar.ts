/** The buttons Train, Pause or Resume, Step and Stop, and the progress of the run on stage. */
import { byId, setAttribute, setEnabled, setShown, setText } from "../dom";
import { formatBytes, formatTimeLeft } from "../format";
import type { Intents } from "../lab/intents";
import { narrowPage } from "../narrow";
import { changedText } from "../run-words";
import { isValid } from "../problems";
import { activeRun, canGoOn, type Form, nameOf, type Run, shownRun, type State } from "../store";
import { firstProblem, goTo } from "./form-problem";

export function mountRunBar(intents: Intents) {
  const train = byId("train");
  const pause = byId("pause");
  const step = byId("step");
  const stop = byId("stop");
  const progress = byId("progress", HTMLProgressElement);
  const text = byId("progress-text");
  const changed = byId("changed");
  const offer = byId("offer");
  const offerText = byId("offer-text");
  const finish = byId("finish");
  const other = byId("other-run");
  const otherText = byId("other-run-text");
  const showOther = byId("other-run-show");
  const goOn = byId("go-on");
  const refused = byId("refused");
  const showRefused = byId("refused-show");
  let latest: State | null = null;

  const onPress = (button: HTMLElement, act: () => void) =>
    button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && act());
  // Uses the form that was refused: the drawn one may be older than the answer to the last edit.
  const orSayProblem = async (started: Promise<Form | null>) => {
    const form = await started;
    const problem = form && firstProblem(form);
    if (problem === null) return;
    setText(refused, `Not started. ${problem.message}`);
    setShown(showRefused, problem.control !== null);
    // A control in sight gets the focus; the page does not jump to one that is not.
    if (problem.control?.closest(".fields, .rate-slot") || (problem.control !== null && isInSight(problem.control)))
      goTo(problem.control, intents);
  };
  showRefused.addEventListener("click", () => {
    const { form } = latest ?? {};
    const control = form ? firstProblem(form)?.control : null;
    if (control) goTo(control, intents);
  });
  onPress(train, () => {
    // On a narrow page the chart may be out of sight.
    if (narrowPage.matches) byId("history").scrollIntoView({ block: "start" });
    void orSayProblem(intents.train());
  });
  onPress(pause, () => intents.pauseOrResume());
  onPress(step, () => void orSayProblem(intents.step()));
  onPress(stop, () => intents.stop());
  onPress(finish, () => {
    train.focus();
    intents.stop();
  });
  onPress(goOn, () => {
    const run = latest === null ? null : shownRun(latest);
    if (run === null) return;
    train.focus();
    intents.prolong(goOnTo(run));
  });
  showOther.addEventListener("click", () => {
    train.focus();
    if (latest?.activeId) void intents.restore(latest.activeId);
  });

  return (state: State) => {
    latest = state;
    const { form } = state;
    const active = activeRun(state);
    const shown = shownRun(state);
    const isEnding = active?.phase === "stopping";
    if (form !== null && isValid(form)) {
      setText(refused, "");
      setShown(showRefused, false);
    }
    setEnabled(train, form !== null);
    setEnabled(pause, active?.phase === "running" || active?.phase === "paused");
    setText(pause, active?.phase === "paused" ? "Resume" : "Pause");
    setEnabled(step, form !== null && !isEnding);
    setEnabled(stop, active !== null && !isEnding);

    const share = shown === null ? 0 : shareOf(shown);
    // Without a value the bar shows that it waits.
    if (shown?.phase === "waiting") progress.removeAttribute("value");
    else setAttribute(progress, "value", String(share));
    setText(
      text,
      form === null ? "Loading the training engine…" : shown === null ? readyText(form) : progressText(shown),
    );
    // Empty when hidden, because this text also describes the Train button.
    const words = changedText(form, shown);
    setShown(changed, words !== "");
    setText(changed, words);

    const further = shown !== null && canGoOn(state) ? shown : null;
    setShown(goOn, further !== null);
    if (further !== null)
      setText(goOn, isComplete(further) ? `${FURTHER} more epochs` : `Go on to epoch ${goOnTo(further)}`);

    const elsewhere = active !== null && active !== shown ? active : null;
    setShown(other, elsewhere !== null);
    if (elsewhere !== null) {
      setText(otherText, `Run ${elsewhere.id}, ${nameOf(state, elsewhere)}, is training: ${progressText(elsewhere)}.`);
      setText(showOther, `Show run ${elsewhere.id}`);
    }

    const offered = active === null || active !== shown || isEnding ? null : offerOf(active);
    setShown(offer, offered !== null);
    setText(offerText, offered ?? "");
  };
}

function isInSight(control: HTMLElement): boolean {
  const { top, bottom } = control.getBoundingClientRect();
  return control.checkVisibility() && top < innerHeight && bottom > 0;
}

/** The memory that Train would need, if it is known. */
function readyText({ description }: Form): string {
  if (description === null) return "Ready";
  const { memory_bytes, slow_note } = description.summary;
  const memory = `Ready; takes about ${formatBytes(memory_bytes)} of memory`;
  return slow_note === null ? memory : `${memory}. ${slow_note}`;
}

/** A reason to end the run now, if there is one. */
function offerOf({ events }: Run): string | null {
  const last = events.findLast(({ kind }) => kind === "held" || kind === "lost" || kind === "diverged");
  if (last?.kind === "held") return `All right since epoch ${last.epoch}.`;
  if (last?.kind === "diverged") return `The ${last.text} since epoch ${last.epoch}.`;
  return null;
}

/** Epochs that are added at a time to a run that has trained all planned epochs. */
const FURTHER = 100;
const isComplete = ({ epochs, experiment }: Run) => epochs >= experiment.training.epochs;
/** The last epoch of a run that goes on: its planned end, or a later one if it has reached that. */
const goOnTo = (run: Run) => run.experiment.training.epochs + (isComplete(run) ? FURTHER : 0);

const shareOf = ({ epochs, experiment }: Run) => epochs / experiment.training.epochs;

function progressText(run: Run): string {
  const { phase, history, epochs, experiment } = run;
  const share = shareOf(run);
  const percent = `${Math.floor(share * 100)} %`;
  const left = (experiment.training.epochs - epochs) * history.recentMilliseconds();
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
    case "abandoned":
      return `${percent}, stopped`;
    case "failed":
      return `${percent}, failed`;
  }
}
