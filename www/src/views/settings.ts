/** "All settings": every field that is not among the controls, in groups; Rust's form gives the kind of each control. */
import type { FieldLimit, FormControl, FormField, FormGroup } from "overfit-lab";
import { mountChoice } from "../controls/choice";
import { mountFlag } from "../controls/flag";
import { isSettled } from "../controls/pending";
import { limitOf, makeProblem, showProblem } from "../controls/problem";
import { mountTextField } from "../controls/text-field";
import { makeWarningSign, warningsOf } from "../controls/warning";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatRate } from "../format";
import type { Intents } from "../lab/intents";
import { problemCount, problemOf } from "../problems";
import type { State } from "../store";
import { makeNetworkSummary } from "./network";

/** The id of a field's control. */
export const settingId = (field: string) => `setting-${field.replaceAll(".", "-")}`;

/** A control on the page. It stays while its field has this kind of control, so that focus and caret stay. */
interface Setting {
  type: FormControl["type"];
  element: HTMLElement;
  render(state: State, field: FormField): void;
}

/** What every setting has besides its control. */
interface Framed extends Setting {
  /** Whether the value differs from the preset's. */
  isChanged: boolean;
  /** The words by which it is found. */
  words: string;
}

interface Group {
  fields: HTMLElement;
  count: HTMLElement;
  settings: Map<string, Framed>;
  element: HTMLElement;
  /** Draws the part above the fields. */
  renderHead(state: State): void;
}

/** One step up or down: by one for whole numbers, otherwise in the second digit. */
export function stepped(value: number, direction: 1 | -1, limit: FieldLimit | undefined): string {
  if (limit?.whole) return String(Math.round(value) + direction);
  const step = value === 0 ? 0.01 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return formatRate(value + direction * step);
}

export function mountSettings(intents: Intents) {
  const box = byId("settings");
  const search = byId("settings-search", HTMLInputElement);
  const changedOnly = byId("settings-changed", HTMLInputElement);
  const found = byId("settings-found");
  const groups = new Map<string, Group>();

  const addGroup = ({ title, fields }: FormGroup): Group => {
    const count = make("span", { class: "problem-count" });
    const heading = make("h3", {}, title, count);
    const element = make("section", { class: "settings-group" }, heading);
    const fieldset = make("fieldset", { "aria-label": title });
    // Above the layers as text is a list of their sizes.
    const head = fields.some(({ field }) => field === "network.layers") ? makeNetworkSummary() : null;
    if (head !== null) element.append(head.element);
    element.append(fieldset);
    box.append(element);
    const group = {
      fields: fieldset,
      count,
      settings: new Map(),
      element,
      renderHead: (state: State) => head?.render(state),
    };
    groups.set(title, group);
    return group;
  };

  /** Shows the settings that are searched for. The one with the focus stays. */
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let changed = 0;
    for (const [title, { element, settings }] of groups) {
      let any = false;
      for (const { element, words: own, isChanged } of settings.values()) {
        const text = `${title} ${own}`.toLowerCase();
        const fits = words.every((word) => text.includes(word)) && (isChanged || !changedOnly.checked);
        const isShown = fits || element.contains(document.activeElement);
        setShown(element, isShown);
        any ||= isShown;
        shown += Number(isShown);
        changed += Number(isChanged);
      }
      setShown(element, any);
    }
    const all = words.length === 0 && !changedOnly.checked;
    setText(found, all ? (changed === 0 ? "As in the preset." : `${changed} changed`) : `${shown} found`);
    box.classList.toggle("few", !all);
  };
  search.addEventListener("input", filter);
  changedOnly.addEventListener("change", filter);

  return (state: State) => {
    const { form } = state;
    if (form === null) return;
    for (const of of form.groups) {
      const group = groups.get(of.title) ?? addGroup(of);
      group.renderHead(state);
      placeFields(intents, group, of.fields);
      for (const field of of.fields) group.settings.get(field.field)?.render(state, field);
      const problems = of.fields.filter(({ field }) => problemOf(form, field) !== null).length;
      setText(group.count, problemCount(problems));
    }
    filter();
  };
}

/** Adds and removes controls to match `fields` and their order. Controls that stay are not moved. */
function placeFields(intents: Intents, { fields: box, settings }: Group, fields: FormField[]) {
  const wanted = new Map(fields.map((field) => [field.field, field]));
  for (const [name, { element, type }] of settings) {
    if (wanted.get(name)?.control.type === type) continue;
    element.remove();
    settings.delete(name);
  }
  let place = box.firstElementChild;
  for (const field of fields) {
    const setting = settings.get(field.field) ?? framed(intents, field);
    settings.set(field.field, setting);
    if (setting.element === place) place = place.nextElementSibling;
    else box.insertBefore(setting.element, place);
  }
}

/** A setting with the way back to the preset's value, and the sign of its warnings. Both have kept room. */
function framed(intents: Intents, of: FormField): Framed {
  const { field, label, keras, control } = of;
  const setting = makeSetting(intents, of);
  const sign = makeWarningSign();
  setting.element.querySelector("label")?.after(sign.element);
  const back = make("button", { type: "button", class: "way-back", hidden: "" }, "↺");
  const original = make("span", { class: "preset-value muted" });
  const element = make("div", { class: "setting" }, setting.element, original, back);
  back.addEventListener("click", () => {
    document.getElementById(settingId(field))?.focus();
    void intents.resetField(field);
  });
  const names = control.type === "choice" ? control.options.map(({ name }) => name) : [];
  const frame: Framed = {
    type: setting.type,
    element,
    isChanged: false,
    words: [label, keras ?? "", ...names].join(" "),
    render(state, field) {
      setting.render(state, field);
      const { form } = state;
      if (form === null) return;
      const before = form.original.get(field.field);
      const hasEntry = form.typed.has(field.field) && problemOf(form, field.field) !== null;
      frame.isChanged = form.original.size > 0 && (before !== field.value || hasEntry);
      setAttribute(element, "data-changed", String(frame.isChanged));
      setShown(back, frame.isChanged && before !== undefined);
      const text = `${label}: back to ${before !== undefined && before.length < 40 ? before : "the preset's value"}`;
      setAttribute(back, "aria-label", text);
      setAttribute(back, "title", text);
      setText(original, frame.isChanged && before !== undefined && before.length < 40 ? `preset: ${before}` : "");
      sign.render(warningsOf(form, field.field));
    },
  };
  return frame;
}

function makeSetting(intents: Intents, field: FormField): Setting {
  const { type } = field.control;
  switch (type) {
    case "number":
    case "line":
      return makeTextSetting(intents, field, type);
    case "lines":
      return makeLinesSetting(intents, field);
    case "choice":
      return makeChoiceSetting(intents, field);
    case "flag":
      return makeFlagSetting(intents, field);
  }
}

/** A field's label, and below it the name in Keras, the range and the unit. */
function makeLabel({ keras, unit }: FormField, label: HTMLElement) {
  const name = make("code", {}, keras ?? "");
  const range = make("span");
  const note = make("span", { class: "field-note" }, name, range);
  const showRange = (limit: FieldLimit | undefined) => {
    const words = [limit === undefined ? "" : rangeText(limit), unit ?? ""].filter((text) => text !== "");
    setText(range, words.join(" "));
    setShown(note, keras !== null || words.length > 0);
  };
  setShown(note, keras !== null);
  return { element: make("span", {}, label, note), showRange };
}

function makeTextSetting(intents: Intents, of: FormField, type: "number" | "line"): Setting {
  const { field, label, value } = of;
  const id = settingId(field);
  const problem = makeProblem(id);
  const name = makeLabel(of, make("label", { for: id }, label));
  const input = make("input", { id, class: "number", type: "text", autocomplete: "off", spellcheck: "false" });
  setAttribute(input, "aria-describedby", problem.id);
  if (type === "number") {
    setAttribute(input, "role", "spinbutton");
    setAttribute(input, "inputmode", "decimal");
  }
  const element = make("div", { class: type === "line" ? "field of-list" : "field" }, name.element, input, problem);
  let latest = value;
  let limit: FieldLimit | undefined;
  const render = mountTextField(intents, {
    input,
    problem,
    field,
    valueOf: () => latest,
    ...(type === "number" ? { stepped: (value, direction) => stepped(value, direction, limit) } : {}),
  });
  return {
    type,
    element,
    render: (state, { value }) => {
      latest = value;
      limit = limitOf(state, field);
      name.showRange(limit);
      render(state);
    },
  };
}

/** A short range for a label: "0 to 0.5", "0 to below 1". */
export function rangeText({ min, max, below_max }: FieldLimit): string {
  return `${formatRate(min)} to ${below_max ? "below " : ""}${formatRate(max)}`;
}

/** Text of several lines is sent only when it is finished, because half of a list is invalid. */
function makeLinesSetting(intents: Intents, { field, label, value }: FormField): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const hint = make("p", { id: `${id}-hint`, class: "muted" }, "Applied when you leave the field or press Ctrl+Enter.");
  const text = make("textarea", { id, spellcheck: "false", autocomplete: "off" });
  setAttribute(text, "aria-describedby", `${problem.id} ${hint.id}`);
  const element = make("div", { class: "field" }, make("label", { for: id }, label), text, hint, problem);
  let sent = (text.value = value);
  text.addEventListener("input", () => (text.dataset.editing = String(text.value !== sent)));
  const send = () => {
    text.dataset.editing = "false";
    if (text.value === sent) return;
    sent = text.value;
    void intents.edit(field, text.value);
  };
  text.addEventListener("change", send);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  });
  return {
    type: "lines",
    element,
    render: (state, current) => {
      const { form } = state;
      if (form === null) return;
      const shown = form.typed.get(field) ?? current.value;
      // Typed text that has not been sent is newer than the state, too.
      const isUntouched = text.value === sent;
      if (isSettled(state, field) && isUntouched && text.value !== shown) text.value = sent = shown;
      setAttribute(text, "rows", String(Math.min(24, shown.split("\n").length + 1)));
      showProblem(form, field, problem, [text]);
    },
  };
}

function makeChoiceSetting(intents: Intents, of: FormField): Setting {
  const { field, label, control, value } = of;
  const id = settingId(field);
  const problem = makeProblem(id);
  const select = make("select", { id, "aria-describedby": problem.id });
  const name = makeLabel(of, make("label", { for: id }, label));
  const element = make("div", { class: "field" }, name.element, select, problem);
  let latest = value;
  const options = control.type === "choice" ? control.options : [];
  const render = mountChoice(intents, {
    select,
    field,
    problem,
    optionsOf: () => options,
    valueOf: ({ form }) => form?.typed.get(field) ?? latest,
  });
  return {
    type: "choice",
    element,
    render: (state, { value }) => {
      latest = value;
      render(state);
    },
  };
}

function makeFlagSetting(intents: Intents, { field, label, value }: FormField): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const box = make("input", { id, type: "checkbox", "aria-describedby": problem.id });
  const element = make("div", {}, make("label", { class: "switch" }, make("span", {}, label), box), problem);
  let latest = value;
  const render = mountFlag(intents, { box, field, problem, valueOf: () => latest === "true" });
  return {
    type: "flag",
    element,
    render: (state, { value }) => {
      latest = value;
      render(state);
    },
  };
}
