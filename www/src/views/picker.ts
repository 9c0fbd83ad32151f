/**
 * The combobox "Experiment": typing searches the presets, and a list in groups shows what was found. It follows the ARIA pattern of
 * an editable combobox: the focus stays in the text field, and arrow keys move the active option.
 */
import type { GroupTitle, Preset } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { isFound, sentenceOf } from "../preset-search";
import { findPreset, type State } from "../store";

interface Option {
  preset: Preset;
  group: GroupTitle;
  row: HTMLElement;
  element: HTMLElement;
  sentence: HTMLElement;
}

interface Group {
  element: HTMLElement;
  options: Option[];
}

const PAGE = 5;

export function mountPicker(intents: Intents) {
  const input = byId("experiment", HTMLInputElement);
  const opener = byId("experiment-open");
  const summary = byId("experiment-summary");
  const popup = byId("experiment-popup");
  const list = byId("experiment-list");
  const found = byId("experiment-found");
  const groups: Group[] = [];
  let chosen: Preset | null = null;
  let active: Option | null = null;
  let isOpen = false;
  /** The preset that was chosen here and is not in the form yet. */
  let awaited: string | null = null;
  let drawn: Preset | null = null;

  const shownOptions = () => groups.flatMap(({ options }) => options.filter(({ row }) => !row.hidden));

  const activate = (option: Option | null) => {
    if (active !== null) setAttribute(active.row, "data-active", "false");
    active = option;
    if (option === null) return input.removeAttribute("aria-activedescendant");
    setAttribute(option.row, "data-active", "true");
    setAttribute(input, "aria-activedescendant", option.element.id);
    option.row.scrollIntoView({ block: "nearest" });
  };

  const filter = (query: string) => {
    let count = 0;
    for (const { element, options } of groups) {
      let any = false;
      for (const option of options) {
        const fits = isFound(option.preset, option.group, query);
        setShown(option.row, fits);
        if (!fits) continue;
        any = true;
        count++;
        setText(option.sentence, sentenceOf(option.preset, query));
      }
      setShown(element, any);
    }
    const none = "Nothing found. Try a part of a name, or a symptom such as nan, 0.693 or stuck.";
    setText(found, query === "" ? "" : count === 0 ? none : `${count} found`);
    setShown(found, query !== "");
  };

  const setOpen = (open: boolean) => {
    isOpen = open;
    setShown(popup, open);
    setAttribute(input, "aria-expanded", String(open));
    if (!open) activate(null);
  };
  /** Shows all presets, at the chosen one. */
  const open = () => {
    filter("");
    setOpen(true);
    activate(shownOptions().find(({ preset }) => preset === chosen) ?? null);
  };
  const close = () => {
    setOpen(false);
    input.value = chosen?.name ?? "";
  };
  /** Selects the text, to be typed over; in a field without the focus that would take the focus. */
  const selectAll = () => {
    if (document.activeElement === input) input.select();
  };
  const choose = ({ preset }: Option) => {
    const isNew = preset !== chosen;
    chosen = preset;
    close();
    selectAll();
    if (!isNew) return;
    awaited = preset.id;
    void intents.choosePreset(preset.id);
  };

  input.addEventListener("input", () => {
    filter(input.value.trim());
    setOpen(true);
    activate(input.value.trim() === "" ? null : (shownOptions()[0] ?? null));
    list.scrollTop = 0;
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => !isOpen && open());
  input.addEventListener("blur", close);
  // The field keeps the focus, so that it also keeps the keyboard.
  popup.addEventListener("pointerdown", (event) => event.preventDefault());
  opener.addEventListener("pointerdown", (event) => event.preventDefault());
  opener.addEventListener("click", () => {
    input.focus();
    if (isOpen) close();
    else open();
  });

  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape" && (isOpen || input.value !== chosen?.name)) {
      event.preventDefault();
      close();
      return selectAll();
    }
    if (key === "Enter" && isOpen) {
      event.preventDefault();
      return active === null ? close() : choose(active);
    }
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
    const move = moves[key as keyof typeof moves];
    if (move === undefined || event.shiftKey || (!isOpen && !key.startsWith("Arrow"))) return;
    event.preventDefault();
    if (!isOpen) return open();
    const options = shownOptions();
    const from = active === null ? -1 : options.indexOf(active);
    // Single steps go round; longer ones stop at the ends.
    const last = options.length - 1;
    const next = from + (from === -1 && move < 0 ? 1 + move : move);
    const to = Math.abs(move) === 1 ? (next + options.length) % options.length : Math.min(last, Math.max(0, next));
    activate(options[to] ?? null);
  });

  const makeOption = (preset: Preset, group: GroupTitle): Option => {
    const id = `option-${preset.id}`;
    const sentence = make("p", { id: `${id}-sentence`, class: "option-sentence", "aria-hidden": "true" });
    const attributes = { id, role: "option", "aria-selected": "false", "aria-describedby": sentence.id };
    const element = make("div", attributes, preset.name);
    const row = make("div", { class: "option-row", role: "presentation" }, element, sentence);
    if (preset.mistake?.hidden) {
      const title = "The network memorises the images in spite of this mistake, so this test does not catch it.";
      const attributes = { id: `${id}-badge`, class: "option-badge", "aria-hidden": "true", title };
      const badge = make("span", attributes, "still memorises");
      element.after(badge);
      setAttribute(element, "aria-describedby", `${sentence.id} ${badge.id}`);
    }
    const option = { preset, group, row, element, sentence };
    row.addEventListener("click", () => choose(option));
    return option;
  };
  const makeGroup = (title: GroupTitle, presets: Preset[]): Group => {
    const heading = make("div", { id: `group-${title.group}`, class: "option-group" }, title.title);
    const options = presets.map((preset) => makeOption(preset, title));
    const attributes = { role: "group", "aria-labelledby": heading.id };
    return { element: make("div", attributes, heading, ...options.map(({ row }) => row)), options };
  };

  return (state: State) => {
    const { catalogue, form } = state;
    if (catalogue === null || form === null) return;
    if (groups.length === 0) {
      for (const title of catalogue.groups)
        groups.push(
          makeGroup(
            title,
            catalogue.presets.filter(({ group }) => group === title.group),
          ),
        );
      list.replaceChildren(...groups.map(({ element }) => element));
    }
    if (awaited !== null && form.presetId !== awaited) return;
    awaited = null;
    chosen = findPreset(state, form.presetId);
    if (chosen === drawn) return;
    drawn = chosen;
    if (!isOpen) input.value = chosen?.name ?? "";
    setText(summary, chosen?.summary ?? "");
    for (const { options } of groups)
      for (const { preset, element } of options) setAttribute(element, "aria-selected", String(preset === chosen));
  };
}
