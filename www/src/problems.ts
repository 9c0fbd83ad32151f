/** Finds the control for each problem, and the entries that an edit keeps. */
import type { FormGroup, InvalidField } from "overfit-lab";
import type { FieldValue } from "./protocol";
import type { Form, RefusedEntry } from "./store";

type Wrong = Pick<Form, "refused" | "problems">;

/** The list of an entry such as `layers[2]`: a list is one control, which shows the problems of all its entries. */
export const listOf = (field: string) => field.replace(/\[.*$/, "");

/** The problem of the entry in a field's control, or of the experiment's value of that field. */
export function problemOf(form: Wrong, field: string): InvalidField | null {
  const refused = form.refused.find((entry) => entry.field === field)?.problem;
  return refused ?? form.problems.find((problem) => listOf(problem.field) === field) ?? null;
}

/** The first problem of a field that is not in `controls`. */
export function problemElsewhere(form: Wrong, controls: Set<string>): InvalidField | null {
  const refused = form.refused.find((entry) => !controls.has(entry.field))?.problem;
  return refused ?? form.problems.find((problem) => !controls.has(listOf(problem.field))) ?? null;
}

/** "2 problems"; empty if there are none. */
export const problemCount = (count: number) => (count === 0 ? "" : count === 1 ? "1 problem" : `${count} problems`);

export const isValid = (form: Wrong) => form.refused.length + form.problems.length === 0;

/** The value of every field of a form. */
export const valuesOf = (groups: FormGroup[]) =>
  new Map(groups.flatMap(({ fields }) => fields.map(({ field, value }) => [field, value])));

/** An edit of one field, and its result. */
export interface Edit {
  field: string;
  value: FieldValue;
  refused: InvalidField | null;
  groups: FormGroup[];
}

/**
 * The typed and refused entries after an edit of one field. Entries of another field are dropped if the edit changed that field's
 * value or removed the field: they are out of date.
 */
export function entriesAfter(
  form: Pick<Form, "typed" | "refused" | "groups">,
  edit: Edit,
): Pick<Form, "typed" | "refused"> {
  const before = valuesOf(form.groups);
  const after = valuesOf(edit.groups);
  const stays = (field: string) => field !== edit.field && before.get(field) === after.get(field);
  const typed = new Map([...form.typed].filter(([field]) => stays(field)));
  if (typeof edit.value === "string") typed.set(edit.field, edit.value);
  const others = form.refused.filter(({ field }) => stays(field));
  const own: RefusedEntry[] = edit.refused === null ? [] : [{ field: edit.field, problem: edit.refused }];
  return { typed, refused: [...others, ...own] };
}
