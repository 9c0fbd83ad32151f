/**
 * The table of runs: a tick compares a run on the chart, a click puts it on stage and its experiment into the form. The newest run
 * is on top, until the table is sorted by a column, which brings runs with the same setting together.
 */
import { byId, make, makeMark, setAttribute, setMark, setShown, setText } from "../dom";
import { formatCount, formatLoss } from "../format";
import type { Intents } from "../lab/intents";
import { changesText } from "../run-words";
import { isOver, nameOf, type Run, type State } from "../store";
import { markOf } from "./result";
import { makeSwatch } from "./swatch";
import { compared } from "./sorting";

/** A cell's content, and the function that updates it from its run. */
interface Cell {
  content: Node[];
  fill(run: Run): void;
}

interface Column {
  /** The name of the column in the style sheet. */
  id: string;
  title: string;
  make(run: Run, name: string, intents: Intents): Cell;
  /** The key by which runs are sorted; without it, the column does not sort. */
  orderOf?(run: Run, state: State): string | number;
}

/** A column of plain text. */
const text = (
  id: string,
  title: string,
  textOf: (run: Run) => string,
  orderOf: NonNullable<Column["orderOf"]>,
): Column => ({
  id,
  title,
  orderOf,
  make: () => {
    const content = make("span");
    return { content: [content], fill: (run) => setText(content, textOf(run)) };
  },
});

/** The last measures; during a run those that the verdict uses: in inference, if training differs from it. */
const measured = ({ result, history: { last } }: Run) => result ?? (last && { ...last, ...last.inference });

/** The number of trained epochs. */
const done = ({ epochs, history }: Run) => (epochs === 0 ? 0 : (history.last?.epoch ?? 0));

const words: Record<Run["phase"], string> = {
  waiting: "starting",
  running: "training",
  paused: "paused",
  stopping: "ending",
  ended: "ended",
  abandoned: "stopped",
  failed: "failed",
};

/** The table's columns, which give its head, its cells, and the captions on a narrow page. */
const columns: Column[] = [
  {
    id: "compare",
    title: "Compare",
    make: ({ id }, _name, intents) => {
      const tick = make("input", { type: "checkbox", "aria-label": `Compare run ${id}` });
      tick.addEventListener("change", () => intents.compare(id, tick.checked));
      const swatch = makeSwatch();
      const label = make("label", {}, tick, make("span", { "aria-hidden": "true" }, String(id)), swatch.element);
      return {
        content: [label],
        fill: ({ compared, slot }) => {
          if (tick.checked !== compared) tick.checked = compared;
          swatch.show(slot);
        },
      };
    },
  },
  {
    id: "experiment",
    title: "Experiment",
    make: ({ id }, name) => {
      const label = `Restore run ${id}: ${name}`;
      const restore = make("button", { type: "button", class: "quiet", "aria-label": label }, name);
      return { content: [restore], fill: () => {} };
    },
    orderOf: (run, state) => nameOf(state, run),
  },
  text("changed", "Changed", (run) => changesText(run) || "nothing", changesText),
  text(
    "epochs",
    "Epochs",
    (run) => `${formatCount(done(run))} of ${formatCount(run.experiment.training.epochs)}`,
    done,
  ),
  text(
    "held",
    "All right from",
    ({ result }) => {
      if (result === null) return "–";
      return result.held_since === null ? "never" : `epoch ${formatCount(result.held_since)}`;
    },
    ({ result }) => result?.held_since ?? Infinity,
  ),
  text(
    "right",
    "Images right",
    (run) => {
      const found = measured(run);
      return found === null ? "–" : `${found.images_right} of ${run.experiment.dataset.images}`;
    },
    (run) => (measured(run)?.images_right ?? 0) / run.experiment.dataset.images,
  ),
  text(
    "loss",
    "Loss",
    (run) => {
      const found = measured(run);
      return found === null ? "–" : formatLoss(found.loss);
    },
    (run) => measured(run)?.loss ?? Infinity,
  ),
  {
    id: "result",
    title: "Result",
    make: () => {
      const mark = makeMark();
      const label = make("span");
      return {
        content: [make("span", { class: "badge" }, mark, label)],
        fill: ({ result, phase }) => {
          setText(label, result?.label ?? words[phase]);
          setMark(mark, phase === "failed" ? false : result === null ? null : markOf(result));
        },
      };
    },
  },
  {
    id: "delete",
    title: "Delete",
    make: ({ id }, _name, intents) => {
      const button = make("button", { type: "button", class: "quiet", "aria-label": `Delete run ${id}` }, "×");
      button.addEventListener("click", () => {
        const row = button.closest("tr");
        const next = row?.nextElementSibling ?? row?.previousElementSibling;
        (next?.querySelector<HTMLElement>("[data-column=experiment] button") ?? byId("train")).focus();
        intents.remove(id);
      });
      return { content: [button], fill: (run) => setShown(button, isOver(run)) };
    },
  },
];

interface Row {
  element: HTMLElement;
  cells: Cell[];
  drawn: Run | null;
}

function makeRow(run: Run, name: string, intents: Intents): Row {
  const cells = columns.map((column) => column.make(run, name, intents));
  const elements = columns.map(({ id, title }, at) =>
    make("td", { role: "cell", "data-column": id, "data-title": title }, ...(cells[at]?.content ?? [])),
  );
  const element = make("tr", { role: "row" }, ...elements);
  element.addEventListener("click", ({ target }) => {
    const own = target instanceof Element && target.closest("[data-column=compare], [data-column=delete]");
    if (!own) void intents.restore(run.id);
  });
  const lift = (id: number | null) => () => intents.lift(id);
  for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, lift(run.id));
  for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, lift(null));
  return { element, cells, drawn: null };
}

interface Sorting {
  column: Column;
  direction: "ascending" | "descending";
}

/** A click on a column's title sorts by it, a second click in descending order, a third click by age again. */
function nextSorting(sorting: Sorting | null, column: Column): Sorting | null {
  if (sorting?.column !== column) return { column, direction: "ascending" };
  return sorting.direction === "ascending" ? { column, direction: "descending" } : null;
}

/** The runs from top to bottom; among equal runs, the newest is first. */
function ordered(state: State, sorting: Sorting | null): Run[] {
  const newestFirst = [...state.runs].reverse();
  const orderOf = sorting?.column.orderOf;
  if (sorting === null || orderOf === undefined) return newestFirst;
  const sign = sorting.direction === "ascending" ? 1 : -1;
  const keyed = newestFirst.map((run) => ({ run, key: orderOf(run, state) }));
  return keyed.sort((a, b) => sign * compared(a.key, b.key)).map(({ run }) => run);
}

export function mountRuns(intents: Intents) {
  const table = byId("runs");
  const body = byId("runs-rows");
  const none = byId("runs-none");
  const rows = new Map<number, Row>();
  let sorting: Sorting | null = null;
  let latest: State | null = null;
  const titles = columns.map((column) => {
    const { id, title, orderOf } = column;
    const head = make("th", { role: "columnheader", scope: "col", "data-column": id });
    if (orderOf === undefined) {
      head.append(title);
      return { column, head };
    }
    const button = make("button", { type: "button", class: "quiet", title: "Sort by this column" }, title);
    button.addEventListener("click", () => {
      sorting = nextSorting(sorting, column);
      for (const { column, head } of titles)
        setAttribute(head, "aria-sort", sorting?.column === column ? sorting.direction : "none");
      if (latest !== null) order(latest);
    });
    head.append(button);
    return { column, head };
  });
  byId("runs-head").append(...titles.map(({ head }) => head));

  /** Moves only rows that are not in their place, and restores the focus of a moved row. */
  const order = (state: State) => {
    const focused = document.activeElement;
    ordered(state, sorting).forEach(({ id }, at) => {
      const element = rows.get(id)?.element;
      const standing = body.children[at] ?? null;
      if (element !== undefined && standing !== element) body.insertBefore(element, standing);
    });
    if (focused instanceof HTMLElement && focused !== document.activeElement && body.contains(focused)) focused.focus();
  };

  return (state: State) => {
    latest = state;
    setShown(table, state.runs.length > 0);
    setShown(none, state.runs.length === 0);
    for (const run of state.runs) {
      let row = rows.get(run.id);
      if (row === undefined) {
        row = makeRow(run, nameOf(state, run), intents);
        rows.set(run.id, row);
      }
      if (row.drawn !== run) for (const cell of row.cells) cell.fill(run);
      row.drawn = run;
      setAttribute(row.element, "aria-current", String(run.id === state.shownId));
    }
    for (const [id, { element }] of rows) {
      if (state.runs.some((run) => run.id === id)) continue;
      element.remove();
      rows.delete(id);
    }
    order(state);
  };
}
