/** The numbers of the chart as a table. Rows are added as epochs come, a limited number a frame. */
import { byId, make, setAttribute, setShown } from "../dom";
import { formatCount, formatLoss, formatPercent, formatRate } from "../format";
import type { History } from "../history";
import type { Intents } from "../lab";
import { shownRun, type State } from "../store";

const ROWS_A_FRAME = 150;
/** Of a longer run every second, third, ... epoch is listed. */
const MAX_ROWS = 2000;
const COLUMNS = ["Epoch", "Loss", "Accuracy", "Learning rate", "Gradient norm"];

function makeRow(history: History, at: number): HTMLTableRowElement {
  const number = (column: Float64Array) => column[at] ?? NaN;
  const row = make("tr", {}, make("th", { scope: "row" }, formatCount(number(history.epoch))));
  for (const text of [
    formatLoss(number(history.loss)),
    formatPercent(number(history.accuracy)),
    formatRate(number(history.learningRate)),
    formatLoss(number(history.gradientNorm)),
  ])
    row.append(make("td", {}, text));
  return row;
}

export function mountHistoryTable(intents: Intents) {
  const [toggle, region] = [byId("table-toggle"), byId("history-table")];
  const body = make("tbody");
  const head = make("thead", {}, make("tr", {}, ...COLUMNS.map((name) => make("th", { scope: "col" }, name))));
  region.append(make("table", {}, head, body));
  let drawn: History | null = null;
  let next = 0;
  let frame: number | null = null;
  toggle.addEventListener("click", () => intents.setTableOpen(toggle.getAttribute("aria-expanded") === "false"));

  const addRows = (history: History, epochs: number) => {
    const every = Math.ceil(Math.min(epochs, history.epoch.at(history.length - 1) ?? 1) / MAX_ROWS);
    for (let added = 0; next < history.length && added < ROWS_A_FRAME; next += every, added++)
      body.append(makeRow(history, next));
    if (next >= history.length || frame !== null) return;
    frame = requestAnimationFrame(() => {
      frame = null;
      if (drawn === history) addRows(history, epochs);
    });
  };

  return (state: State) => {
    setAttribute(toggle, "aria-expanded", String(state.tableOpen));
    setShown(region, state.tableOpen);
    if (!state.tableOpen) return;
    const run = shownRun(state);
    const history = run?.history ?? null;
    if (history !== drawn) {
      body.replaceChildren();
      drawn = history;
      next = 0;
    }
    if (run !== null) addRows(run.history, run.experiment.training.epochs);
  };
}
