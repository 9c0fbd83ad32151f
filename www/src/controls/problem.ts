/** Problems and limits of fields, both from Rust. */
import type { FieldLimit } from "overfit-lab";
import { make, setAttribute, setShown, setText } from "../dom";
import { problemOf } from "../problems";
import type { Form, State } from "../store";

/** Makes the element for a field's problem; `id` is that of the field's control. */
export function makeProblem(id: string): HTMLElement {
  return make("p", { id: `${id}-problem`, class: "problem", role: "alert", hidden: "" });
}

/** Shows a field's problem at its inputs, in Rust's words. */
export function showProblem(form: Form, field: string, element: HTMLElement, inputs: HTMLElement[]) {
  const problem = problemOf(form, field);
  const message = problem?.message ?? "";
  // A control may add elements to its problem: they stay while the message is the same.
  if (message === "" || !element.textContent.startsWith(message)) setText(element, message);
  setShown(element, problem !== null);
  for (const input of inputs) setAttribute(input, "aria-invalid", String(problem !== null));
}

export function limitOf({ catalogue }: State, field: string): FieldLimit | undefined {
  return catalogue?.fields.find((limit) => limit.field === field);
}
