/** What is wrong with a field that has no control, and the way to the first control that is wrong. */
import { byId, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { problemElsewhere, problemOf } from "../problems";
import type { Form, State } from "../store";
import { controlIds } from "./controls";
import { settingId } from "./settings";

/** Every field that has a control, in the order of the page. */
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

/** Gives the focus to the first control with a problem, and opens the group that it is in. */
export function focusFirstProblem(form: Form) {
  const first = fieldsOf(form).find((field) => problemOf(form, field) !== null);
  if (first === undefined) return;
  const control = document.getElementById(controlIds[first] ?? settingId(first));
  const folded = control?.closest("details");
  if (folded) folded.open = true;
  control?.focus();
}
