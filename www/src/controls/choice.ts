/** A control for one of several options. */
import { make } from "../dom";
import type { Intents } from "../lab/intents";
import type { State } from "../store";
import { isSettled } from "./pending";
import { showProblem } from "./problem";

interface Option {
  id: string;
  name: string;
}

interface Choice {
  select: HTMLSelectElement;
  field: string;
  problem: HTMLElement;
  optionsOf(state: State): Option[];
  valueOf(state: State): string;
}

export function mountChoice(intents: Intents, { select, field, problem, optionsOf, valueOf }: Choice) {
  let drawn = "";
  select.addEventListener("change", () => void intents.edit(field, select.value));
  return (state: State) => {
    if (state.form === null) return;
    const options = optionsOf(state);
    const key = JSON.stringify(options);
    if (key !== drawn) {
      drawn = key;
      const chosen = select.value;
      select.replaceChildren(...options.map(({ id, name }) => make("option", { value: id }, name)));
      select.value = chosen;
    }
    const value = valueOf(state);
    if (isSettled(state, field) && select.value !== value) select.value = value;
    showProblem(state.form, field, problem, [select]);
  };
}
