/** The chart's numbers as a table. Rows are added in batches, because laying out a long table takes time. */
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatCount, formatLoss, formatPercent, formatRate } from "../format";
import type { History } from "../history";
import type { Intents } from "../lab/intents";
import { shownRun, type State } from "../store";

const ROWS_AT_ONCE = 150;
/** In a longer run, all of the first epochs are listed, then every second, third, ... */
const MAX_ROWS = 1000;
const LISTED_WHOLE = 500;
const ADD_EVERY_MS = 300;
interface Column {
  title: string;
  textOf(history: History, at: number): string;
}

const number = (column: ArrayLike<number> | undefined, at: number) => column?.[at] ?? NaN;

const columns: Column[] = [
  { title: "Epoch", textOf: ({ epoch }, at) => formatCount(number(epoch, at)) },
  { title: "Loss", textOf: ({ loss }, at) => formatLoss(number(loss, at)) },
  { title: "Accuracy", textOf: ({ accuracy }, at) => formatPercent(number(accuracy, at)) },
  { title: "Learning rate", textOf: ({ learningRate }, at) => formatRate(number(learningRate, at)) },
  { title: "Gradient norm", textOf: ({ gradientNorm }, at) => formatLoss(number(gradientNorm, at)) },
];
/** Columns for runs with held-out images. */
const heldOutColumns: Column[] = [
  { title: "Held-out loss", textOf: ({ heldOut }, at) => formatLoss(number(heldOut?.loss, at)) },
  { title: "Held-out accuracy", textOf: ({ heldOut }, at) => formatPercent(number(heldOut?.accuracy, at)) },
];
/** Columns for runs whose training differs from inference. */
const inferenceColumns: Column[] = [
  { title: "Inference loss", textOf: ({ inference }, at) => formatLoss(number(inference?.loss, at)) },
  { title: "Inference accuracy", textOf: ({ inference }, at) => formatPercent(number(inference?.accuracy, at)) },
];

function columnsOf({ heldOut, inference }: History): Column[] {
  return [...columns, ...(heldOut === null ? [] : heldOutColumns), ...(inference === null ? [] : inferenceColumns)];
}

function makeRow(of: Column[], history: History, at: number): HTMLTableRowElement {
  const cells = of.map(({ textOf }, index) =>
    index === 0 ? make("th", { scope: "row" }, textOf(history, at)) : make("td", {}, textOf(history, at)),
  );
  return make("tr", {}, ...cells);
}

export function mountHistoryTable(intents: Intents) {
  const toggle = byId("table-toggle");
  const region = byId("history-table");
  const body = make("tbody");
  const head = make("thead");
  const caption = make("caption");
  region.append(make("table", {}, caption, head, body));
  let drawn: History | null = null;
  let shown: Column[] = [];
  let next = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  toggle.addEventListener("click", () => intents.setTableOpen(toggle.getAttribute("aria-expanded") === "false"));

  const addRows = (history: History, epochs: number) => {
    const every = Math.max(1, Math.ceil((epochs - LISTED_WHOLE) / (MAX_ROWS - LISTED_WHOLE)));
    setText(caption, every === 1 ? "" : `After epoch ${LISTED_WHOLE}, one epoch in ${every}.`);
    for (let added = 0; next < history.length && added < ROWS_AT_ONCE; added++) {
      body.append(makeRow(shown, history, next));
      next += next + 1 < LISTED_WHOLE ? 1 : every;
    }
    timer = setTimeout(
      () => {
        timer = null;
        if (drawn === history && next < history.length) addRows(history, epochs);
      },
      next < history.length ? 0 : ADD_EVERY_MS,
    );
  };

  return (state: State) => {
    setAttribute(toggle, "aria-expanded", String(state.tableOpen));
    setText(toggle, state.tableOpen ? "Hide table" : "Show as table");
    setShown(region, state.tableOpen);
    if (!state.tableOpen) return;
    const run = shownRun(state);
    const history = run?.history ?? null;
    const wanted = history === null || history.length === 0 ? columns : columnsOf(history);
    if (history !== drawn || wanted.length !== shown.length) {
      body.replaceChildren();
      shown = wanted;
      head.replaceChildren(make("tr", {}, ...shown.map(({ title }) => make("th", { scope: "col" }, title))));
      drawn = history;
      next = 0;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    }
    if (run !== null && timer === null) addRows(run.history, run.experiment.training.epochs);
  };
}
