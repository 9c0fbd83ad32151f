/** A control that is on or off. */
import type { Intents } from "../lab/intents";
import type { State } from "../store";
import { isSettled } from "./pending";
import { showProblem } from "./problem";

interface Flag {
  box: HTMLInputElement;
  field: string;
  problem: HTMLElement;
  /** Null if it is neither on nor off. */
  valueOf(state: State): boolean | null;
  /** Whether there is nothing to switch. */
  isIdle?(state: State): boolean;
}

export function mountFlag(intents: Intents, { box, field, problem, valueOf, isIdle }: Flag) {
  box.addEventListener("change", () => void intents.edit(field, box.checked));
  return (state: State) => {
    if (state.form === null) return;
    showProblem(state.form, field, problem, [box]);
    if (!isSettled(state, field)) return;
    const idle = isIdle?.(state) ?? false;
    if (box.disabled !== idle) box.disabled = idle;
    const value = valueOf(state);
    if (box.checked !== (value === true)) box.checked = value === true;
    const mixed = value === null && !idle;
    if (box.indeterminate !== mixed) box.indeterminate = mixed;
  };
}
