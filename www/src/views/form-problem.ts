/** Shows the problem of a field without a control, and moves the focus to the first control with a problem. */
import { byId, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { narrowPage } from "../narrow";
import { problemElsewhere, problemOf } from "../problems";
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

/** Opens the part of the page that a control is in. */
function reveal(control: HTMLElement, intents: Intents) {
  const panel = control.closest<HTMLElement>(".panel");
  const tab = TABS.find(({ id }) => panel?.id === `panel-${id}`);
  if (panel !== null && tab !== undefined) {
    intents.openTab(tab.id);
    // Shown immediately, because only a shown control can have the focus.
    setShown(panel, true);
  }
  const sheet = control.closest<HTMLElement>(".controls");
  if (sheet === null || !narrowPage.matches) return;
  intents.setSheetOpen(true);
  setAttribute(sheet, "data-open", "true");
}

/** Moves the focus to the first control with a problem, wherever it is. */
export function focusFirstProblem(form: Form, intents: Intents) {
  const first = fieldsOf(form).find((field) => problemOf(form, field) !== null);
  if (first === undefined) return;
  const control = document.getElementById(controlIds[first] ?? settingId(first));
  if (control === null) return;
  reveal(control, intents);
  control.focus();
}
