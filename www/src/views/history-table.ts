/** The numbers of the chart as a table. Rows are added now and then as epochs come, for laying out a long table takes time. */
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatCount, formatLoss, formatPercent, formatRate } from "../format";
import type { History } from "../history";
import type { Intents } from "../lab";
import { shownRun, type State } from "../store";

const ROWS_AT_ONCE = 150;
/** Of a longer run the first epochs are all listed, and then every second, third, ... */
const MAX_ROWS = 1000;
const LISTED_WHOLE = 500;
const ADD_EVERY_MS = 300;
const COLUMNS = ["Epoch", "Loss", "Accuracy", "Learning rate", "Gradient norm"];
/** Where images are held out. */
const HELD_OUT_COLUMNS = ["Held-out loss", "Held-out accuracy"];

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
  if (history.heldOut !== null) {
    const { loss, accuracy } = history.heldOut;
    for (const text of [formatLoss(number(loss)), formatPercent(number(accuracy))]) row.append(make("td", {}, text));
  }
  return row;
}

export function mountHistoryTable(intents: Intents) {
  const [toggle, region] = [byId("table-toggle"), byId("history-table")];
  const body = make("tbody");
  const makeHead = (names: string[]) => make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const head = make("thead", {}, makeHead(COLUMNS));
  const caption = make("caption");
  region.append(make("table", {}, caption, head, body));
  let drawn: History | null = null;
  let next = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  toggle.addEventListener("click", () => intents.setTableOpen(toggle.getAttribute("aria-expanded") === "false"));

  const addRows = (history: History, epochs: number) => {
    const every = Math.max(1, Math.ceil((epochs - LISTED_WHOLE) / (MAX_ROWS - LISTED_WHOLE)));
    setText(caption, every === 1 ? "" : `After epoch ${LISTED_WHOLE}, one epoch in ${every}.`);
    for (let added = 0; next < history.length && added < ROWS_AT_ONCE; added++) {
      body.append(makeRow(history, next));
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
    setShown(region, state.tableOpen);
    if (!state.tableOpen) return;
    const run = shownRun(state);
    const history = run?.history ?? null;
    if (history !== drawn) {
      body.replaceChildren();
      const heldOut = (run?.experiment.dataset.validation_images ?? 0) > 0;
      head.replaceChildren(makeHead(heldOut ? [...COLUMNS, ...HELD_OUT_COLUMNS] : COLUMNS));
      drawn = history;
      next = 0;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    }
    if (run !== null && timer === null) addRows(run.history, run.experiment.training.epochs);
  };
}
