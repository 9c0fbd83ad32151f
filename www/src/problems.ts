/** Which control a problem is shown at, and which entries outlive an edit. */
import type { FormGroup, InvalidField } from "overfit-lab";
import type { FieldValue } from "./protocol";
import type { Form, RefusedEntry } from "./store";

type Wrong = Pick<Form, "refused" | "problems">;

/** A list is one control: what is wrong with an entry of it is shown there. */
const listOf = (field: string) => field.replace(/\[.*$/, "");

/** What is wrong with what was entered at a control, or with what the experiment has there. */
export function problemOf(form: Wrong, field: string): InvalidField | null {
  const refused = form.refused.find((entry) => entry.field === field)?.problem;
  return refused ?? form.problems.find((problem) => listOf(problem.field) === field) ?? null;
}

/** The first problem that none of these controls shows. */
export function problemElsewhere(form: Wrong, controls: Set<string>): InvalidField | null {
  const refused = form.refused.find((entry) => !controls.has(entry.field))?.problem;
  return refused ?? form.problems.find((problem) => !controls.has(listOf(problem.field))) ?? null;
}

export const isValid = (form: Wrong) => form.refused.length + form.problems.length === 0;

const valuesOf = (groups: FormGroup[]) =>
  new Map(groups.flatMap(({ fields }) => fields.map(({ field, value }) => [field, value])));

/** An edit of one field, and what came of it. */
export interface Edit {
  field: string;
  value: FieldValue;
  refused: InvalidField | null;
  groups: FormGroup[];
}

/**
 * What was typed and what was refused, after an edit of one field: of another field nothing is kept where the edit changed its
 * value or took the field away, for what was typed there is no longer what the experiment has.
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
