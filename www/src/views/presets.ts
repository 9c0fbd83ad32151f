/**
 * The radio group "Experiment": the first group of presets is open, the others can be folded. A folded group still shows the
 * chosen preset, so that it can always be seen and reached by keyboard. Below the chosen preset are the form's differences from it.
 */
import type { Change, GroupTitle, Preset } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import type { Form, State } from "../store";

interface PresetRow {
  id: string;
  element: HTMLElement;
}

interface Group {
  /** Null for a group that cannot be folded. */
  fold: HTMLElement | null;
  list: HTMLElement;
  rows: PresetRow[];
}

export function mountPresets(intents: Intents) {
  const box = byId("presets");
  const radios: HTMLInputElement[] = [];
  const groups: Group[] = [];
  const differences = makeDifferences(intents);
  let shown: string | null = null;
  /** The preset that was chosen here and is not in the form yet. Until it is, a person may fold its group. */
  let chosen: string | null = null;

  const makePreset = ({ id, name, summary }: Preset): PresetRow => {
    const radio = make("input", { type: "radio", name: "preset", id, value: id, "aria-describedby": `${id}-summary` });
    radio.addEventListener("change", () => {
      chosen = id;
      void intents.choosePreset(id);
    });
    radios.push(radio);
    const words = [make("label", { for: id }, name), make("p", { id: `${id}-summary` }, summary)];
    return { id, element: make("div", { class: "preset" }, radio, ...words) };
  };

  const makeGroup = ({ group, title }: GroupTitle, presets: Preset[]): Group => {
    const rows = presets.map(makePreset);
    const folds = groups.length > 0;
    const count = make("span", { class: "count" }, String(presets.length));
    const attributes = { type: "button", class: "fold", "aria-expanded": "false", "aria-controls": `presets-${group}` };
    const fold = folds ? make("button", attributes, title, " ", count) : null;
    const heading = make("h3", { id: `presets-${group}-title` }, fold ?? title);
    const list = make("div", { id: `presets-${group}`, class: "preset-list" }, ...rows.map(({ element }) => element));
    fold?.addEventListener("click", () => unfold(made, fold.getAttribute("aria-expanded") === "false"));
    const made: Group = { fold, list, rows };
    box.append(make("div", { role: "group", "aria-labelledby": heading.id }, heading, list));
    return made;
  };

  /** Shows all presets of a group, or only the chosen one. */
  const unfold = ({ fold, list, rows }: Group, open: boolean) => {
    if (fold === null) return;
    setAttribute(fold, "aria-expanded", String(open));
    for (const { id, element } of rows) setShown(element, open || id === shown);
    setShown(list, open || rows.some(({ id }) => id === shown));
  };

  return ({ catalogue, form }: State) => {
    if (catalogue === null || form === null) return;
    if (groups.length === 0) {
      box.querySelectorAll(".preset").forEach((skeleton) => skeleton.remove());
      for (const title of catalogue.groups) {
        const presets = catalogue.presets.filter(({ group }) => group === title.group);
        if (presets.length > 0) groups.push(makeGroup(title, presets));
      }
      for (const group of groups) unfold(group, false);
    }
    differences.render(form);
    if (form.presetId === shown) return;
    shown = form.presetId;
    for (const radio of radios) radio.checked = radio.value === shown;
    for (const group of groups) {
      const own = group.rows.find(({ id }) => id === shown);
      const isOpen = group.fold?.getAttribute("aria-expanded") === "true";
      unfold(group, isOpen || (own !== undefined && shown !== chosen));
      if (own === undefined) continue;
      own.element.append(differences.element);
      keepInSight(group.list, own.element);
    }
    if (shown === chosen) chosen = null;
  };
}

/**
 * The differences of the form from its preset, each with a button that undoes it, and one button that undoes all. The line is
 * always there, so that a change moves no control.
 */
function makeDifferences(intents: Intents) {
  const none = make("span", { class: "muted" }, "unchanged");
  const list = make("ul", { "aria-label": "Changed settings" });
  const reset = make("button", { type: "button", class: "quiet" }, "Reset");
  const element = make("div", { class: "differences" }, none, list, reset);
  let presetId = "";
  let drawn = "";
  const toPreset = () => document.getElementById(presetId)?.focus();
  reset.addEventListener("click", () => {
    toPreset();
    void intents.choosePreset(presetId);
  });
  const makeItem = ({ field, label, value }: Change) => {
    const undo = make("button", { type: "button", "aria-label": `Undo ${label} ${value}` }, "×");
    undo.addEventListener("click", () => {
      toPreset();
      void intents.resetField(field);
    });
    return make("li", {}, `${label} ${value}`, undo);
  };
  const render = ({ presetId: id, description, mended }: Form) => {
    presetId = id;
    const changes = mended ? [] : (description?.changes ?? []);
    // Redrawn only when they change, because one of them may have the focus.
    const key = JSON.stringify([mended, changes]);
    if (key === drawn) return;
    drawn = key;
    setText(none, mended ? "without its mistake" : "unchanged");
    list.replaceChildren(...changes.map(makeItem));
    setShown(none, changes.length === 0);
    setShown(list, changes.length > 0);
    setShown(reset, changes.length > 0 || mended);
  };
  return { element, render };
}

/** Scrolls the list, and nothing else, to a row of it. */
function keepInSight(list: HTMLElement, row: HTMLElement) {
  const top = row.offsetTop;
  const bottom = top + row.offsetHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}
