/** Asks before the page is left during a run, because the run would be lost. */
import type { Store } from "./store";

export function askBeforeLeaving(store: Store) {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  // Only while a run is under way, because browsers keep no page with such a listener for the way back to it.
  store.subscribe(({ activeId }) => {
    if (activeId === null) removeEventListener("beforeunload", ask);
    else addEventListener("beforeunload", ask);
  });
}
