/**
 * The radio group "Experiment": the first group of presets as it is, the others folded. A folded group still shows the preset
 * that is chosen, so that it can always be seen and reached by keyboard.
 */
import type { GroupTitle, Preset } from "overfit-lab";
import { byId, make, setAttribute, setShown } from "../dom";
import type { Intents } from "../lab";
import type { State } from "../store";

interface Group {
  /** Null for a group that cannot be folded. */
  fold: HTMLElement | null;
  list: HTMLElement;
  rows: { id: string; row: HTMLElement }[];
}

export function mountPresets(intents: Intents) {
  const box = byId("presets");
  const radios: HTMLInputElement[] = [];
  const groups: Group[] = [];
  let shown: string | null = null;

  const makePreset = ({ id, name, summary }: Preset) => {
    const radio = make("input", { type: "radio", name: "preset", id, value: id, "aria-describedby": `${id}-summary` });
    radio.addEventListener("change", () => void intents.choosePreset(id));
    radios.push(radio);
    const words = [make("label", { for: id }, name), make("p", { id: `${id}-summary` }, summary)];
    return { id, row: make("div", { class: "preset" }, radio, ...words) };
  };

  const makeGroup = ({ group, title }: GroupTitle, presets: Preset[]): Group => {
    const rows = presets.map(makePreset);
    const folds = groups.length > 0;
    const count = make("span", { class: "count" }, String(presets.length));
    const attributes = { type: "button", class: "fold", "aria-expanded": "false", "aria-controls": `presets-${group}` };
    const fold = folds ? make("button", attributes, title, " ", count) : null;
    const heading = make("h3", { id: `presets-${group}-title` }, fold ?? title);
    const list = make("div", { id: `presets-${group}`, class: "preset-list" }, ...rows.map(({ row }) => row));
    fold?.addEventListener("click", () => unfold(made, fold.getAttribute("aria-expanded") === "false"));
    const made: Group = { fold, list, rows };
    box.append(make("div", { role: "group", "aria-labelledby": heading.id }, heading, list));
    return made;
  };

  /** Shows all presets of a group, or of those the chosen one. */
  const unfold = ({ fold, list, rows }: Group, open: boolean) => {
    if (fold === null) return;
    setAttribute(fold, "aria-expanded", String(open));
    for (const { id, row } of rows) setShown(row, open || id === shown);
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
    if (form.presetId === shown) return;
    shown = form.presetId;
    for (const radio of radios) radio.checked = radio.value === shown;
    for (const group of groups) {
      const own = group.rows.find(({ id }) => id === shown);
      unfold(group, own !== undefined || group.fold?.getAttribute("aria-expanded") === "true");
      if (own !== undefined) keepInSight(group.list, own.row);
    }
  };
}

/** Scrolls the list, and nothing else, to a row of it. */
function keepInSight(list: HTMLElement, row: HTMLElement) {
  const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}
