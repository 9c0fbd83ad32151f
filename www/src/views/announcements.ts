/** What is read out besides the result: what happens in a run, and what a change is warned of. Each is said once. */
import type { EventKind } from "overfit-lab";
import { byId, make } from "../dom";
import type { Intents } from "../lab/intents";
import { shownRun, type State } from "../store";

/** Rates are set by hand, and a run that is stopped early ends with its result: both are known to who hears them. */
const said: ReadonlySet<EventKind> = new Set(["first_reached", "held", "lost", "diverged", "layer_dead"]);
/** A warning is read out when the controls have been at rest for so long, for a drag passes over many. */
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
      // What happened before a run came on stage was said then, or is in its result.
      heard = run?.events.length ?? 0;
    }
    const news = run?.events.slice(heard).filter(({ kind }) => said.has(kind)) ?? [];
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
