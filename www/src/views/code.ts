/** The experiment as code in the chosen framework, to copy and run, and the results of runs in each framework. */
import type { Check, FrameworkChoice, ScriptLine, Tally } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatLoss, formatRate } from "../format";
import type { Intents } from "../lab/intents";
import { changedText, ratesText } from "../run-words";
import { presetName, shownRun, type State } from "../store";

export function mountCode(intents: Intents) {
  const script = byId("script");
  const note = byId("script-note");
  const byHand = byId("script-by-hand");
  const copied = byId("copied");
  const choice = byId("frameworks");
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
  // Each line is a block; an empty line contains a line break, so that it is as high as the others and copied with them.
  const makeLine = ({ text, differs }: ScriptLine) => make(differs ? "mark" : "span", {}, text || "\n");

  return (state: State) => {
    const { catalogue, form, framework } = state;
    if (catalogue === null) return;
    if (choice.children.length === 0) choice.append(...catalogue.frameworks.map(makeFramework));
    for (const radio of choice.querySelectorAll("input"))
      if (radio.checked !== (radio.value === framework)) radio.checked = radio.value === framework;
    setText(byHand, byHandText(state));
    const lines = form?.description?.scripts.find((script) => script.framework === framework)?.lines ?? drawn;
    if (form === null || lines === drawn) return;
    drawn = lines;
    script.replaceChildren(...lines.map(makeLine));
    const language = catalogue.frameworks.find(({ id }) => id === framework)?.name ?? "";
    setAttribute(script, "aria-label", `${language} script`);
    setText(copied, "");
    const name = presetName(state, form.presetId);
    const changed = (form.description?.changes ?? []).length > 0;
    const left = changed ? `The same as ${name}, with lines removed.` : `${name}, unchanged.`;
    setText(note, lines.some((line) => line.differs) ? `Marked: differences from ${name}.` : left);
  };
}

/** Says that rates of the run on stage were set by hand, which no script does; empty if none were. */
function byHandText(state: State): string {
  const run = shownRun(state);
  const rates = run === null || changedText(state.form, run) !== "" ? null : ratesText(run.rates);
  if (rates === null || run === null || state.form === null) return "";
  const rate = formatRate(state.form.experiment.training.learning_rate);
  return `The learning rate of run ${run.id} was changed by hand (${rates}). This script does not: it trains at ${rate} throughout.`;
}

/** "2 of 3" */
export const memorisedText = ({ memorised }: Tally, seeds: number) => `${memorised} of ${seeds}`;
/** Scripts print six decimals, so a small loss has no more. */
export function lossText({ loss }: Tally): string {
  if (loss === null || loss >= 1e-2) return formatLoss(loss ?? NaN);
  const decimals = loss.toFixed(6).replace(/0+$/, "");
  return Number(decimals) === 0 ? "below 0.000001" : decimals;
}

/** The results of the chosen preset and of its fixed twin, here and in each framework. */
export function mountChecks(_intents: Intents) {
  const box = byId("checks");
  const title = byId("checks-title");
  const note = byId("checks-note");
  const table = byId("checks-table");
  let drawn: string | null = null;

  const makeRow = (check: Check, seeds: number) => {
    const cell = (tally: Tally) =>
      make("td", {}, memorisedText(tally, seeds), make("span", { class: "muted" }, `loss ${lossText(tally)}`));
    const name = make("th", { scope: "row" }, check.mended ? "Fixed" : "Unchanged");
    return make("tr", {}, name, ...[check.here, check.keras, check.pytorch].map(cell));
  };

  return (state: State) => {
    const { catalogue, form } = state;
    if (catalogue === null || form === null || form.presetId === drawn) return;
    drawn = form.presetId;
    const { keras, pytorch, seeds, rows } = catalogue.checks;
    const own = rows.filter(({ preset }) => preset === form.presetId);
    setShown(box, own.length > 0);
    setText(title, `${presetName(state, form.presetId)}, unchanged, in Keras ${keras} and PyTorch ${pytorch}`);
    setText(note, `How many of ${seeds} seeds had every image right at the end, and the median final loss.`);
    const names = ["", "Here", "Keras", "PyTorch"].map((name) => make(name === "" ? "td" : "th", {}, name));
    for (const name of names.slice(1)) setAttribute(name, "scope", "col");
    const body = own.sort((a, b) => Number(a.mended) - Number(b.mended)).map((row) => makeRow(row, seeds));
    table.replaceChildren(make("thead", {}, make("tr", {}, ...names)), make("tbody", {}, ...body));
  };
}
