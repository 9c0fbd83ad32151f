/** When views are drawn: once a frame at most, and never so many in one that the page stops answering. */
import type { State, Store } from "./store";

/** What the views of one frame may take together; those that are left over come in the next. */
const BUDGET_MS = 6;

/** Draws every view after each change of the state, always from the newest. */
export function drawEachFrame(store: Store, views: ((state: State) => void)[]) {
  let frame: number | null = null;
  let next = 0;
  let outdated = false;
  const draw = () => {
    frame = null;
    const start = performance.now();
    // A pass that begins now draws what is newest; a change in the middle of one asks for another.
    outdated &&= next > 0;
    do views[next++]?.(store.state);
    while (next < views.length && performance.now() - start < BUDGET_MS);
    if (next >= views.length) next = 0;
    if (next > 0 || outdated) frame ??= requestAnimationFrame(draw);
  };
  store.subscribe(() => {
    outdated = true;
    frame ??= requestAnimationFrame(draw);
  });
}
