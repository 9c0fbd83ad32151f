/** "All settings": every field that has no control of its own, in groups, each entered as Rust's form says. */
import type { FieldLimit, FormControl, FormField, FormGroup } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatRate } from "../format";
import type { Intents } from "../lab";
import { problemOf } from "../problems";
import type { Form, State } from "../store";
import { limitOf, mountTextField, showProblem } from "./number-field";

/** The id of a field's control. */
export const settingId = (field: string) => `setting-${field.replaceAll(".", "-")}`;

/** A control on the page. It stays for as long as its field has this kind of control, so that focus and caret do. */
interface Setting {
  type: FormControl["type"];
  element: HTMLElement;
  render(state: State, field: FormField): void;
}

interface Group {
  details: HTMLDetailsElement;
  fields: HTMLElement;
  count: HTMLElement;
  settings: Map<string, Setting>;
}

/** By one for whole numbers, otherwise in the second digit. */
export function stepped(value: number, direction: 1 | -1, limit: FieldLimit | undefined): string {
  if (limit?.whole) return String(Math.round(value) + direction);
  const step = value === 0 ? 0.01 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return formatRate(value + direction * step);
}

export function mountSettings(intents: Intents) {
  const section = byId("settings");
  const groups = new Map<string, Group>();

  const addGroup = ({ title, fields }: FormGroup): Group => {
    const count = make("span", { class: "problem-count" });
    const summary = make("summary", {}, make("span", {}, title), count);
    const box = make("fieldset", { "aria-label": title });
    const details = make("details", { class: "settings-group" }, summary);
    // The layers as a list of sizes belong to the layers as text.
    if (fields.some(({ field }) => field === "network.layers")) details.append(byId("network-summary"));
    details.append(box);
    section.append(details);
    const group = { details, fields: box, count, settings: new Map<string, Setting>() };
    groups.set(title, group);
    return group;
  };

  return (state: State) => {
    const { form } = state;
    if (form === null) return;
    for (const of of form.groups) {
      const group = groups.get(of.title) ?? addGroup(of);
      renderFields(intents, group, of.fields);
      for (const field of of.fields) group.settings.get(field.field)?.render(state, field);
      const problems = of.fields.filter(({ field }) => problemOf(form, field) !== null).length;
      setText(group.count, problems === 0 ? "" : problems === 1 ? "1 problem" : `${problems} problems`);
    }
    setShown(section, form.groups.length > 0);
  };
}

/** Adds and removes controls so that those of `fields` stand there in their order. None that stays is moved. */
function renderFields(intents: Intents, { fields: box, settings }: Group, fields: FormField[]) {
  const wanted = new Map(fields.map((field) => [field.field, field]));
  for (const [name, { element, type }] of settings) {
    if (wanted.get(name)?.control.type === type) continue;
    element.remove();
    settings.delete(name);
  }
  let place = box.firstElementChild;
  for (const field of fields) {
    const setting = settings.get(field.field) ?? makeSetting(intents, field);
    settings.set(field.field, setting);
    if (setting.element === place) place = place.nextElementSibling;
    else box.insertBefore(setting.element, place);
  }
}

/** What is in a field's control: what was typed there, for as long as it stands, or what the experiment has. */
const shownIn = (form: Form, { field, value }: FormField) => form.typed.get(field) ?? value;

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

function makeProblem(id: string) {
  return make("p", { id: `${id}-problem`, class: "problem", role: "alert", hidden: "" });
}

function makeTextSetting(intents: Intents, { field, label, value }: FormField, type: "number" | "line"): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const input = make("input", { id, class: "number", type: "text", autocomplete: "off", spellcheck: "false" });
  setAttribute(input, "aria-describedby", problem.id);
  if (type === "number") {
    setAttribute(input, "role", "spinbutton");
    setAttribute(input, "inputmode", "decimal");
  }
  const element = make(
    "div",
    { class: type === "line" ? "field of-list" : "field" },
    make("label", { for: id }, label),
    input,
    problem,
  );
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
      render(state);
    },
  };
}

/** Text of several lines is read when it is finished, for half of a list is never one. */
function makeLinesSetting(intents: Intents, { field, label, value }: FormField): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const hint = make("p", { id: `${id}-hint`, class: "muted" }, "Read when you leave the field, or at Ctrl+Enter.");
  const text = make("textarea", { id, spellcheck: "false", autocomplete: "off" });
  setAttribute(text, "aria-describedby", `${problem.id} ${hint.id}`);
  const element = make("div", { class: "field" }, make("label", { for: id }, label), text, hint, problem);
  let sent = (text.value = value);
  let unanswered = 0;
  const send = async () => {
    if (text.value === sent) return;
    sent = text.value;
    unanswered++;
    await intents.edit(field, text.value);
    unanswered--;
  };
  text.addEventListener("change", () => void send());
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void send();
  });
  return {
    type: "lines",
    element,
    render: ({ form }, current) => {
      if (form === null) return;
      // What is being typed is newer than the state.
      const untouched = text.value === sent;
      const shown = shownIn(form, current);
      if (unanswered === 0 && untouched && text.value !== shown) text.value = sent = shown;
      setAttribute(text, "rows", String(Math.min(24, shown.split("\n").length + 1)));
      showProblem(form, field, problem, [text]);
    },
  };
}

function makeChoiceSetting(intents: Intents, { field, label }: FormField): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const select = make("select", { id, "aria-describedby": problem.id });
  const element = make("div", { class: "field" }, make("label", { for: id }, label), select, problem);
  let unanswered = 0;
  select.addEventListener("change", async () => {
    unanswered++;
    await intents.edit(field, select.value);
    unanswered--;
  });
  return {
    type: "choice",
    element,
    render: ({ form }, current) => {
      if (form === null || current.control.type !== "choice") return;
      if (select.options.length === 0)
        select.append(...current.control.options.map(({ id, name }) => make("option", { value: id }, name)));
      const shown = shownIn(form, current);
      if (unanswered === 0 && select.value !== shown) select.value = shown;
      showProblem(form, field, problem, [select]);
    },
  };
}

function makeFlagSetting(intents: Intents, { field, label }: FormField): Setting {
  const id = settingId(field);
  const problem = makeProblem(id);
  const box = make("input", { id, type: "checkbox", "aria-describedby": problem.id });
  const element = make("div", {}, make("label", { class: "switch" }, make("span", {}, label), box), problem);
  let unanswered = 0;
  box.addEventListener("change", async () => {
    unanswered++;
    await intents.edit(field, box.checked);
    unanswered--;
  });
  return {
    type: "flag",
    element,
    render: ({ form }, current) => {
      if (form === null) return;
      const on = current.value === "true";
      if (unanswered === 0 && box.checked !== on) box.checked = on;
      showProblem(form, field, problem, [box]);
    },
  };
}
