/** Shows the problem of a field without a control, and moves the focus to the first control with a problem. */
import { byId, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { problemElsewhere, problemOf } from "../problems";
import type { Form, State } from "../store";
import { controlIds } from "./controls";
import { settingId } from "./settings";

/** Every field that has a control, in page order. */
function fieldsOf(form: Form): string[] {
  const settings = form.groups.flatMap(({ fields }) => fields.map(({ field }) => field));
  return [...Object.keys(controlIds), ...settings];
}

export function mountFormProblem(_intents: Intents) {
  const problem = byId("form-problem");
  return ({ form }: State) => {
    if (form === null) return;
    const elsewhere = problemElsewhere(form, new Set(fieldsOf(form)));
    setText(problem, elsewhere?.message ?? "");
    setShown(problem, elsewhere !== null);
  };
}

/** Moves the focus to the first control with a problem, and opens its group. */
export function focusFirstProblem(form: Form) {
  const first = fieldsOf(form).find((field) => problemOf(form, field) !== null);
  if (first === undefined) return;
  const control = document.getElementById(controlIds[first] ?? settingId(first));
  const folded = control?.closest("details");
  if (folded) folded.open = true;
  control?.focus();
}
