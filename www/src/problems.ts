/** Which control a problem is shown at, and which entries outlive an edit. */
import type { FormGroup, InvalidField } from "overfit-lab";
import type { FieldValue } from "./protocol";
import type { Form, Unheld } from "./store";

/** A list is one control: what is wrong with an entry of it is shown there. */
const listOf = (field: string) => field.replace(/\[.*$/, "");

/** What is wrong with what was entered at a control, or with what the experiment has there. */
export function problemOf(form: Pick<Form, "unheld" | "problems">, field: string): InvalidField | null {
  const refused = form.unheld.find((entry) => entry.field === field)?.problem;
  return refused ?? form.problems.find((problem) => listOf(problem.field) === field) ?? null;
}

/** The first problem that none of these controls shows. */
export function homelessProblem(form: Pick<Form, "unheld" | "problems">, controls: Set<string>): InvalidField | null {
  const refused = form.unheld.find((entry) => !controls.has(entry.field))?.problem;
  return refused ?? form.problems.find((problem) => !controls.has(listOf(problem.field))) ?? null;
}

const valuesOf = (groups: FormGroup[]) =>
  new Map(groups.flatMap(({ fields }) => fields.map(({ field, value }) => [field, value])));

/**
 * What was typed and what was refused, after an edit of one field: of another field nothing is kept where the edit changed its
 * value or took the field away, for what was typed there is no longer what the experiment has.
 */
export function entriesAfter(
  form: Pick<Form, "typed" | "unheld" | "groups">,
  edit: { field: string; value: FieldValue; refused: InvalidField | null; groups: FormGroup[] },
): Pick<Form, "typed" | "unheld"> {
  const [before, after] = [valuesOf(form.groups), valuesOf(edit.groups)];
  const stays = (field: string) => field !== edit.field && before.get(field) === after.get(field);
  const typed = new Map([...form.typed].filter(([field]) => stays(field)));
  if (typeof edit.value === "string") typed.set(edit.field, edit.value);
  const refused: Unheld[] = edit.refused === null ? [] : [{ field: edit.field, problem: edit.refused }];
  return { typed, unheld: [...form.unheld.filter(({ field }) => stays(field)), ...refused] };
}
