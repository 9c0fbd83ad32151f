/** The experiment as code, in the framework that is chosen, to copy and run; and what came of it where it was run. */
import type { Check, FrameworkChoice, ScriptLine, Tally } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatLoss } from "../format";
import type { Intents } from "../lab";
import { presetName, type State } from "../store";

export function mountCode(intents: Intents) {
  const [script, note, copied, choice] = [byId("script"), byId("script-note"), byId("copied"), byId("frameworks")];
  let drawn: ScriptLine[] = [];

  byId("copy-script").addEventListener("click", async () => {
    const text = drawn.map((line) => line.text).join("\n") + "\n";
    await navigator.clipboard.writeText(text).then(
      () => setText(copied, "Copied"),
      () => {
        getSelection()?.selectAllChildren(script);
        setText(copied, "Selected: press Ctrl+C or ⌘C");
      },
    );
  });

  const makeFramework = ({ id, name }: FrameworkChoice) => {
    const radio = make("input", { type: "radio", name: "framework", value: id });
    radio.addEventListener("change", () => intents.chooseFramework(id));
    return make("label", {}, radio, make("span", {}, name));
  };
  const makeLine = ({ text, differs }: ScriptLine) => (differs ? make("mark", {}, text + "\n") : text + "\n");

  return (state: State) => {
    const { catalogue, form, framework } = state;
    if (catalogue === null) return;
    if (choice.children.length === 0) choice.append(...catalogue.frameworks.map(makeFramework));
    for (const radio of choice.querySelectorAll("input"))
      if (radio.checked !== (radio.value === framework)) radio.checked = radio.value === framework;
    const lines = form?.description?.scripts.find((script) => script.framework === framework)?.lines ?? drawn;
    if (form === null || lines === drawn) return;
    drawn = lines;
    script.replaceChildren(...lines.map(makeLine));
    const language = catalogue.frameworks.find(({ id }) => id === framework)?.name ?? "";
    setAttribute(script, "aria-label", `${language} script`);
    setText(copied, "");
    const name = presetName(state, form.presetId);
    const changed = (form.description?.changes ?? []).length > 0;
    const left = changed ? `It differs from ${name} only by what is left out.` : `${name}, unchanged.`;
    setText(note, lines.some((line) => line.differs) ? `Marked: what differs from ${name}.` : left);
  };
}

/** "2 of 3" */
export const memorisedText = ({ memorised }: Tally, seeds: number) => `${memorised} of ${seeds}`;
export const lossText = ({ loss }: Tally) => formatLoss(loss ?? NaN);

/** What came of the chosen preset's script, and of its twin's, where they were run. */
export function mountChecks(_intents: Intents) {
  const [box, title, note, table] = [byId("checks"), byId("checks-title"), byId("checks-note"), byId("checks-table")];
  let drawn: string | null = null;

  const makeRow = (check: Check, seeds: number) => {
    const cell = (tally: Tally) =>
      make("td", {}, memorisedText(tally, seeds), make("span", { class: "muted" }, `loss ${lossText(tally)}`));
    const name = make("th", { scope: "row" }, check.mended ? "Mended" : "As it is");
    return make("tr", {}, name, ...[check.here, check.keras, check.pytorch].map(cell));
  };

  return ({ catalogue, form }: State) => {
    if (catalogue === null || form === null || form.presetId === drawn) return;
    drawn = form.presetId;
    const { keras, pytorch, seeds, rows } = catalogue.checks;
    const own = rows.filter(({ preset }) => preset === form.presetId);
    setShown(box, own.length > 0);
    setText(title, `Checked in Keras ${keras} and PyTorch ${pytorch}`);
    setText(note, `How many of ${seeds} seeds had every image right at the end, and the final loss of the middle one.`);
    const names = ["", "Here", "Keras", "PyTorch"].map((name) => make(name === "" ? "td" : "th", {}, name));
    for (const name of names.slice(1)) setAttribute(name, "scope", "col");
    const body = own.sort((a, b) => Number(a.mended) - Number(b.mended)).map((row) => makeRow(row, seeds));
    table.replaceChildren(make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...body));
  };
}
