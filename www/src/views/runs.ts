/** The table of runs: tick one to compare it on the chart, click it to restore its experiment and history. */
import { byId, make, makeMark, setAttribute, setMark, setShown, setText } from "../dom";
import { formatLoss } from "../format";
import type { Intents } from "../lab";
import { nameOf, type Run, type State } from "../store";

type Row = ReturnType<typeof makeRow>;

function makeRow(run: Run, name: string, intents: Intents) {
  const tick = make("input", { type: "checkbox", "aria-label": `Compare run ${run.id}` });
  const restore = make(
    "button",
    { type: "button", class: "quiet", "aria-label": `Restore run ${run.id}: ${name}` },
    name,
  );
  const mark = makeMark();
  const label = make("span");
  const badge = make("span", { class: "badge" }, mark, label);
  const cell = (title: string, ...content: Node[]) => make("td", { role: "cell", "data-title": title }, ...content);
  const [held, right, loss] = [cell("Held since"), cell("Images right"), cell("Loss")];
  const changed = cell("Changed");
  setText(changed, run.changes.map(({ label, value }) => `${label} ${value}`).join(", ") || "nothing");
  const cells = [cell("Compare", tick), cell("Experiment", restore), changed, held, right, loss, cell("Result", badge)];
  const row = make("tr", { role: "row" }, ...cells);
  tick.addEventListener("change", () => intents.compare(run.id, tick.checked));
  row.addEventListener("click", (event) => event.target !== tick && void intents.restore(run.id));
  return { row, tick, mark, label, badge, held, right, loss };
}

const words: Record<Run["phase"], string> = {
  waiting: "starting",
  running: "training",
  paused: "paused",
  stopping: "ending",
  ended: "ended",
  failed: "failed",
};

function fill(parts: Row, run: Run) {
  const { result, history } = run;
  const measured = result ?? history.last;
  const failed = run.phase === "failed";
  setText(parts.held, result === null ? "–" : (result.held_since?.toString() ?? "never"));
  setText(parts.right, measured === null ? "–" : `${measured.images_right} of ${run.experiment.dataset.images}`);
  setText(parts.loss, measured === null ? "–" : formatLoss(measured.loss));
  setText(parts.label, result?.label ?? words[run.phase]);
  setMark(parts.mark, failed ? false : result === null || result.verdict === "unfinished" ? null : result.memorised);
}

export function mountRuns(intents: Intents) {
  const [table, body, none] = [byId("runs"), byId("runs-rows"), byId("runs-none")];
  const rows = new Map<number, Row>();
  return (state: State) => {
    setShown(table, state.runs.length > 0);
    setShown(none, state.runs.length === 0);
    for (const run of state.runs) {
      let parts = rows.get(run.id);
      const isNew = parts === undefined;
      parts ??= makeRow(run, nameOf(state, run), intents);
      if (isNew) {
        rows.set(run.id, parts);
        body.prepend(parts.row);
      }
      const over = parts.row.dataset.over === "true";
      if (!over) fill(parts, run);
      parts.row.dataset.over = String(run.phase === "ended" || run.phase === "failed");
      setAttribute(parts.row, "aria-current", String(run.id === state.shownId));
      if (parts.tick.checked !== run.compared) parts.tick.checked = run.compared;
    }
    for (const [id, parts] of rows) {
      if (state.runs.some((run) => run.id === id)) continue;
      parts.row.remove();
      rows.delete(id);
    }
  };
}
