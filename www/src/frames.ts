/** Draws views: once per frame at most, and never so many in one frame that the page becomes unresponsive. */
import type { State, Store } from "./store";

/** Time for the views of one frame together; the remaining views are drawn in the next frame. */
const BUDGET_MS = 6;

/** Draws every view after each change of the state, always from the newest state. */
export function drawEachFrame(store: Store, views: ((state: State) => void)[]) {
  let frame: number | null = null;
  let next = 0;
  let outdated = false;
  const draw = () => {
    frame = null;
    const start = performance.now();
    // A pass that begins now draws the newest state; a change during a pass needs another pass.
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
