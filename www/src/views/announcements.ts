/** Announces the events of a run and the warnings of a change to screen readers, each once. The result announces itself. */
import type { EventKind } from "overfit-lab";
import { byId, make } from "../dom";
import type { Intents } from "../lab/intents";
import { shownRun, type State } from "../store";

/** Not announced: rates, which a person set by hand, and early stopping, which ends with the result. */
const announced: ReadonlySet<EventKind> = new Set(["first_reached", "held", "lost", "diverged", "layer_dead"]);
/** Milliseconds without a change until a warning is announced: a drag passes over many warnings. */
const REST_MS = 1000;

export function mountAnnouncements(_intents: Intents) {
  const region = byId("announcements");
  let runId: number | null = null;
  let heard = 0;
  let warned = "";
  let resting: ReturnType<typeof setTimeout> | undefined;
  const say = (text: string) => region.replaceChildren(make("p", {}, text));

  return (state: State) => {
    const run = shownRun(state);
    if (run?.id !== runId) {
      runId = run?.id ?? null;
      // Events from before the run came on stage were announced then, or are in its result.
      heard = run?.events.length ?? 0;
    }
    const news = run?.events.slice(heard).filter(({ kind }) => announced.has(kind)) ?? [];
    heard = run?.events.length ?? 0;
    if (news.length > 0) say(news.map(({ epoch, text }) => `Epoch ${epoch}: ${text}.`).join(" "));

    const warnings = state.form?.description?.warnings ?? [];
    const fields = warnings.map(({ field }) => field).join(" ");
    if (fields === warned) return;
    warned = fields;
    clearTimeout(resting);
    if (warnings.length > 0)
      resting = setTimeout(() => say(warnings.map(({ message }) => `Warning: ${message}`).join(" ")), REST_MS);
  };
}
