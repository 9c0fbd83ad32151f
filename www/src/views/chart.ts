/** The figure "Training history": the curves of the run on stage, with the ticked runs as thin lines behind them. */
import type uPlot from "uplot";
import { byId, setAttribute, setText } from "../dom";
import { formatCount, formatLoss, formatPercent } from "../format";
import type { Intents } from "../lab/intents";
import { labelsOf } from "../run-labels";
import { changedText } from "../run-words";
import { initialState, isOver, nameOf, type Run, shownRun, type State } from "../store";
import { Columns, SMALLEST_LOSS } from "./chart-data";
import { eventsOf, Marks } from "./chart-marks";
import { type Curve, dataOf, lift, makePlot, NARROW, type Picture, readColours } from "./chart-plot";
import { RateLine } from "./chart-rate";
import { CrosshairList } from "./crosshair";

const readHint = matchMedia("(hover: none)").matches
  ? "Touch the chart to read an epoch."
  : "Point at the chart to read an epoch.";

export function mountChart(intents: Intents) {
  const at = byId("plot");
  const readout = byId("readout");
  const logarithmic = byId("log-epochs", HTMLInputElement);
  const columns = new Columns();
  const marks = new Marks(byId("marks"));
  const rateLine = new RateLine(byId("rate-line"));
  const crosshair = new CrosshairList(byId("crosshair"));
  let colours = readColours();
  let picture: Picture = { epochs: [], lastEpoch: 1, logarithmic: true, curves: [], outdated: false, end: null };
  let plot: uPlot | null = null;
  let drawn = "";
  let latest: State | null = null;
  /** The epoch chosen by keyboard; null while the pointer chooses. */
  let keyEpoch: number | null = null;
  let firstDrawn = false;
  /** The size of the plot, measured only when it changes: measuring in the middle of a frame would force a layout. */
  let width = at.clientWidth;
  let height = at.clientHeight;

  logarithmic.addEventListener("change", () => intents.setLogarithmicEpochs(logarithmic.checked));
  window.addEventListener("themechange", () => {
    colours = readColours();
    plot?.redraw(false);
  });
  new ResizeObserver(() => {
    width = at.clientWidth;
    height = at.clientHeight;
    plot?.setSize({ width, height });
    if (latest !== null) render(latest);
  }).observe(at);
  at.addEventListener("keydown", (event) => {
    const run = latest === null ? null : shownRun(latest);
    const move = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (move === undefined || run?.history.last === null || run === null || plot === null) return;
    event.preventDefault();
    keyEpoch = Math.min(run.history.last.epoch, Math.max(1, (keyEpoch ?? 1) + move));
    pointAtKeyEpoch();
  });
  at.addEventListener("pointermove", () => (keyEpoch = null));
  at.addEventListener("blur", () => {
    keyEpoch = null;
    plot?.setCursor({ left: -10, top: -10 });
  });

  /** Keeps the crosshair at the epoch chosen by keyboard, also on a new plot or with another axis. */
  const pointAtKeyEpoch = () => {
    if (keyEpoch !== null) plot?.setCursor({ left: plot.valToPos(keyEpoch, "x"), top: 0 });
  };

  /** Shows the exact current values at the crosshair. */
  const read = () => {
    const run = latest === null ? null : shownRun(latest);
    const left = plot?.cursor.left ?? -1;
    if (run === null || run.history.length === 0) {
      crosshair.hide();
      return setText(readout, "Press Train: the curves grow here.");
    }
    setAttribute(at, "aria-valuemax", String(run.history.last?.epoch));
    if (plot === null || left < 0) {
      crosshair.hide();
      return setText(readout, readHint);
    }
    const wanted = keyEpoch ?? Math.round(plot.posToVal(left, "x"));
    const entry = nearestEntry(run, wanted);
    const { epoch, loss, accuracy, heldOut, inference, last } = run.history;
    const words = (which: string, loss: number | undefined, accuracy: number | undefined) =>
      `${which}loss ${formatLoss(loss ?? NaN)}, ${which}accuracy ${formatPercent(accuracy ?? NaN)}`;
    const parts = [`epoch ${formatCount(epoch[entry] ?? 0)}`, words("", loss[entry], accuracy[entry])];
    if (heldOut !== null) parts.push(words("held-out ", heldOut.loss[entry], heldOut.accuracy[entry]));
    if (inference !== null) parts.push(words("inference ", inference.loss[entry], inference.accuracy[entry]));
    const { result } = run;
    const isEnd =
      result !== null && last !== null && epoch[entry] === last.epoch && result.images_right !== last.images_right;
    if (isEnd) parts.push(words("measured at the end: ", result.loss, result.accuracy));
    const text = parts.join(", ");
    setText(readout, text);
    const others = latest === null ? "" : readOthers(latest, run, epoch[entry] ?? 1, plot);
    setAttribute(at, "aria-valuenow", String(epoch[entry]));
    setAttribute(at, "aria-valuetext", text + others);
  };

  /** Lists the values of all drawn runs at an epoch, and returns those of the compared runs in words. */
  const readOthers = (state: State, shown: Run, epoch: number, plot: uPlot): string => {
    const compared = state.runs.filter((run) => run.compared && run !== shown && run.history.length > 0);
    const labels = labelsIn(state, shown);
    const rows = [shown, ...compared].map((run) => {
      const { history } = run;
      const entry = nearestEntry(run, epoch);
      return {
        slot: run === shown ? null : run.slot,
        name: labels.get(run.id) ?? "",
        loss: formatLoss(history.loss[entry] ?? NaN),
        accuracy: formatPercent(history.accuracy[entry] ?? NaN),
      };
    });
    if (compared.length === 0) crosshair.hide();
    else crosshair.show(rows, plot);
    const words = rows.slice(1).map(({ name, loss, accuracy }) => `; ${name}: loss ${loss}, accuracy ${accuracy}`);
    return words.join("");
  };

  /** Draws the marks once the plot is laid out, because it gives their positions. */
  const drawMarks = (on: uPlot) => {
    if (latest === null) return;
    const run = shownRun(latest);
    marks.render(on, run === null ? [] : eventsOf(run), latest.catalogue?.events ?? []);
    rateLine.render(on, run);
  };

  const curvesOf = (state: State, shown: Run | null): Curve[] => {
    const ghosts = state.runs.filter((run) => run.compared && run !== shown);
    const drawn = shown === null ? null : columns.of(shown.history);
    const own = { runId: shown?.id ?? null, slot: null };
    const labels = labelsIn(state, shown);
    const named = (name: string) => [name, labels.get(shown?.id ?? -1)].filter(Boolean).join(" ");
    const heldOut: Curve[] =
      shown === null || shown.experiment.dataset.validation_images === 0
        ? []
        : [{ ...own, name: "held-out accuracy", column: drawn?.heldOut ?? [], kind: "held-out accuracy" }];
    const inference: Curve[] =
      drawn === null || drawn.inference.length === 0
        ? []
        : [{ ...own, name: "in inference", column: drawn.inference, kind: "inference accuracy" }];
    return [
      ...ghosts.flatMap((run): Curve[] => {
        const { accuracy, loss } = columns.of(run.history);
        const of = { name: labels.get(run.id) ?? "", runId: run.id, slot: run.slot };
        return [
          { ...of, column: accuracy, kind: "ghost accuracy" },
          { ...of, column: loss, kind: "ghost loss" },
        ];
      }),
      ...heldOut,
      ...inference,
      { ...own, name: named("loss"), column: drawn?.loss ?? [], kind: "loss" },
      { ...own, name: "accuracy", column: drawn?.accuracy ?? [], kind: "accuracy" },
    ];
  };

  const render = (state: State) => {
    latest = state;
    if (width === 0) return;
    const shown = shownRun(state);
    const planned = (shown?.experiment ?? state.form?.experiment)?.training.epochs ?? 0;
    const curves = curvesOf(state, shown);
    const ghosts = state.runs.filter((run) => run.compared).map((run) => run.history.last?.epoch ?? 0);
    const lastEpoch = Math.max(planned, ...ghosts);
    picture = {
      epochs: columns.epochs,
      lastEpoch,
      logarithmic: state.logarithmicEpochs,
      curves,
      outdated: shown !== null && isOver(shown) && changedText(state.form, shown) !== "",
      end: endOf(shown),
    };

    const key = JSON.stringify([
      curves.map(({ name, kind, slot }) => [name, kind, slot]),
      state.logarithmicEpochs,
      width < NARROW,
    ]);
    if (plot === null || key !== drawn) {
      plot?.destroy();
      plot = makePlot(
        at,
        { width, height },
        () => picture,
        () => colours,
        { moved: read, drawn: drawMarks },
      );
      drawn = key;
      lift(plot, curves, state.liftedId);
      if (state.liftedId !== null) plot.redraw();
    } else {
      lift(plot, curves, state.liftedId);
      plot.setData(dataOf(picture));
    }
    pointAtKeyEpoch();
    read();
    if (!firstDrawn && shown !== null && shown.history.length > 0) {
      firstDrawn = true;
      performance.mark("first-epoch-drawn");
    }
  };
  // Shows the empty chart while the page loads.
  render(initialState);
  return render;
}

/** The short names of the run on stage and those that are compared with it; empty if there are none. */
function labelsIn(state: State, shown: Run | null): Map<number, string> {
  const compared = state.runs.filter((run) => run.compared && run !== shown);
  if (compared.length === 0) return new Map();
  const runs = shown === null ? compared : [...compared, shown];
  const isOnePreset = new Set(runs.map(({ presetId }) => presetId)).size === 1;
  const mistakeOf = ({ mended }: { mended: boolean }) => (mended ? "fixed" : "with the mistake");
  return labelsOf(runs, (run) => (isOnePreset ? mistakeOf(run) : nameOf(state, run)));
}

/** The measures after the end of a run, if they differ from the ends of the curves. */
function endOf(run: Run | null): Picture["end"] {
  const last = run?.history.last;
  if (!run?.result || !last || run.result.images_right === last.images_right) return null;
  const { loss, accuracy } = run.result;
  return {
    epoch: last.epoch,
    accuracy: accuracy * 100,
    loss: Number.isFinite(loss) ? Math.max(loss, SMALLEST_LOSS) : null,
  };
}

/** The entry of an epoch, or of the nearest earlier epoch that is kept. */
function nearestEntry({ history }: Run, epoch: number): number {
  let low = 0;
  let high = history.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((history.epoch[middle] ?? 0) <= epoch) low = middle;
    else high = middle - 1;
  }
  return low;
}
