/** Shows the problem of a field without a control, and finds the controls of fields. */
import { byId, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { narrowPage } from "../narrow";
import { listOf, problemElsewhere, problemOf } from "../problems";
import type { Form, State } from "../store";
import { TABS } from "../tabs";
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

/** Moves the focus to a control, and opens the part of the page that it is in. */
export function goTo(control: HTMLElement, intents: Intents) {
  const panel = control.closest<HTMLElement>(".panel");
  const tab = TABS.find(({ id }) => panel?.id === `panel-${id}`);
  if (panel !== null && tab !== undefined) {
    intents.openTab(tab.id);
    // Shown immediately, because only a shown control can have the focus.
    setShown(panel, true);
  }
  const sheet = control.closest<HTMLElement>(".controls");
  if (sheet !== null && narrowPage.matches) {
    intents.setSheetOpen(true);
    setAttribute(sheet, "data-open", "true");
  }
  control.focus();
}

/** The control of a field, or of the list that an entry such as `layers[2].units` is in. */
export function controlOf(field: string): HTMLElement | null {
  const ids = [field, listOf(field)].flatMap((name) => [controlIds[name] ?? "", settingId(name)]);
  return ids.map((id) => document.getElementById(id)).find((control) => control !== null) ?? null;
}

/** The first problem of a form, in page order, with its control. */
export function firstProblem(form: Form): { message: string; control: HTMLElement | null } | null {
  const field = fieldsOf(form).find((field) => problemOf(form, field) !== null);
  if (field !== undefined) return { message: problemOf(form, field)?.message ?? "", control: controlOf(field) };
  const elsewhere = problemElsewhere(form, new Set());
  return elsewhere && { message: elsewhere.message, control: null };
}
