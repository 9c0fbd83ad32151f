/** Undo and redo of everything that changes the experiment in the form. */
import { type Form, type Setup, setupOf, type Store } from "../store";

const MOST_KEPT = 200;
/** Edits of one field that follow within this time are one step, such as presses of an arrow key. */
const STEP_MS = 600;

export class UndoLab {
  private lastField: string | null = null;
  private lastAt = 0;

  constructor(private readonly store: Store) {}

  /**
   * Remembers the form as it was before a change. An edit has its field, and continues the one before while a slider is dragged or
   * a text is typed: together they are one step.
   */
  remember(before: Form | null, field: string | null = null, continues = false) {
    if (before === null) return;
    const now = performance.now();
    const isSameStep = field !== null && field === this.lastField && (continues || now - this.lastAt < STEP_MS);
    this.lastField = field;
    this.lastAt = now;
    const { past, future } = this.store.state.undo;
    if (isSameStep && future.length === 0) return;
    this.store.set({ undo: { past: [...past, setupOf(before)].slice(-MOST_KEPT), future: [] } });
  }

  /** Takes the setup to go back to, or forward to, and keeps the current one for the other way. */
  take(way: "past" | "future"): Setup | null {
    const { form, undo } = this.store.state;
    if (form === null) return null;
    // What replaced the form by the same was no step.
    const now = JSON.stringify(setupOf(form));
    const at = undo[way].findLastIndex((setup) => JSON.stringify(setup) !== now);
    const setup = undo[way][at];
    if (setup === undefined) return null;
    const other = way === "past" ? "future" : "past";
    const kept = { [way]: undo[way].slice(0, at), [other]: [...undo[other], setupOf(form)] };
    this.store.set({ undo: { ...undo, ...kept } });
    this.lastField = null;
    return setup;
  }
}
