/**
 * The bench: tabs under the stage, of which one is open, or none. Arrow keys move between the tabs; Enter, Space or a click opens a
 * tab, or closes the open one.
 */
import { byId, make, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { problemCount, problemOf } from "../problems";
import type { State } from "../store";
import { type TabId, TABS } from "../tabs";

/** A word behind a tab's title. */
const notes: Partial<Record<TabId, (state: State) => string>> = {
  runs: ({ runs }) => (runs.length === 0 ? "" : String(runs.length)),
  settings: ({ form }) => {
    const fields = form?.groups.flatMap(({ fields }) => fields) ?? [];
    return problemCount(fields.filter(({ field }) => form !== null && problemOf(form, field) !== null).length);
  },
};

export function mountBench(intents: Intents) {
  const list = byId("bench-tabs");
  /** The tab that a person has just opened, to be brought into sight. */
  let opened: TabId | null = null;
  let drawn: TabId | null = null;

  const tabs = TABS.map(({ id, title }, at) => {
    const note = make("span", { class: "tab-note" });
    const attributes = { role: "tab", type: "button", id: `tab-${id}`, "aria-controls": `panel-${id}` };
    const button = make("button", { ...attributes, "aria-selected": "false", tabindex: at === 0 ? "0" : "-1" }, title);
    button.append(" ", note);
    const panel = byId(`panel-${id}`);
    // On a narrow page each panel stands under its own tab.
    button.style.setProperty("--place", String(2 * at));
    panel.style.setProperty("--place", String(2 * at + 1));
    button.addEventListener("click", () => {
      opened = button.ariaSelected === "true" ? null : id;
      intents.openTab(opened);
    });
    list.append(button);
    return { id, button, panel, note };
  });

  list.addEventListener("keydown", (event) => {
    const from = tabs.findIndex(({ button }) => button === event.target);
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const to =
      event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : step === undefined ? null : from + step;
    if (to === null || from === -1) return;
    event.preventDefault();
    tabs.at(to % tabs.length)?.button.focus();
  });
  list.addEventListener("focusin", ({ target }) => {
    for (const { button } of tabs) setAttribute(button, "tabindex", button === target ? "0" : "-1");
  });

  return (state: State) => {
    for (const { id, note } of tabs) setText(note, notes[id]?.(state) ?? "");
    if (state.tab === drawn) return;
    drawn = state.tab;
    for (const { id, button, panel } of tabs) {
      setAttribute(button, "aria-selected", String(id === drawn));
      setShown(panel, id === drawn);
      if (id === drawn && id === opened) button.scrollIntoView({ block: "start" });
    }
    opened = null;
  };
}
