/** What is wrong with a field, and what its limits are: both are Rust's. */
import type { FieldLimit } from "overfit-lab";
import { make, setAttribute, setShown, setText } from "../dom";
import { problemOf } from "../problems";
import type { Form, State } from "../store";

/** The place for a field's problem, beside the control with this id. */
export function makeProblem(id: string): HTMLElement {
  return make("p", { id: `${id}-problem`, class: "problem", role: "alert", hidden: "" });
}

/** Shows a field's problem at its inputs, in Rust's words. */
export function showProblem(form: Form, field: string, at: HTMLElement, inputs: HTMLElement[]) {
  const problem = problemOf(form, field);
  const message = problem?.message ?? "";
  // What a field adds to its problem stays for as long as the problem is the same.
  if (message === "" || !at.textContent.startsWith(message)) setText(at, message);
  setShown(at, problem !== null);
  for (const input of inputs) setAttribute(input, "aria-invalid", String(problem !== null));
}

export function limitOf({ catalogue }: State, field: string): FieldLimit | undefined {
  return catalogue?.fields.find((limit) => limit.field === field);
}
