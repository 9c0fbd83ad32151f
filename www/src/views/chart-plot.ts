/** Draws the chart by uPlot: scales, axes, curves and their labels. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount } from "../format";
import { isStageView } from "../stage-view";
import { colourToken, DASHES } from "../run-colours";
import { type Column, decades, linearTicks, logarithmicTicks, lossRange, thinned } from "./chart-data";

export const BAND = 60;
/** Below this width the plot has smaller margins. */
export const NARROW = 560;
/** The size of the chart's text, in proportion to which its margins are. */
const SIZE = isStageView ? 20 : 15;
const scaled = (pixels: number) => Math.round((pixels * SIZE) / 15);
const FONT = `${SIZE}px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`;
const LABEL_HEIGHT = scaled(20);

export interface Curve {
  name: string;
  column: Column;
  kind: "accuracy" | "loss" | "held-out accuracy" | "inference accuracy" | "ghost accuracy" | "ghost loss";
  /** The run whose curve it is. */
  runId: number | null;
  /** The colour and dash of a compared run. */
  slot: number | null;
}

/** The input of the drawing functions, which the view replaces as a whole. */
export interface Picture {
  epochs: number[];
  /** The end of the epoch axis; 0 while it is unknown. */
  lastEpoch: number;
  logarithmic: boolean;
  curves: Curve[];
  /** Whether the settings have changed since the run: then the curves are grey. */
  outdated: boolean;
  /** The measures after the last epoch. */
  end: { epoch: number; accuracy: number; loss: number | null } | null;
}

/** The page's colours, for the canvas. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  return {
    background: colour("background"),
    ink: colour("ink"),
    muted: colour("muted"),
    line: colour("line"),
    ghost: colour("ghost"),
    accent: colour("accent"),
    loss: colour("loss"),
    runs: DASHES.map((_, slot) => style.getPropertyValue(colourToken(slot))),
  };
}
export type Colours = ReturnType<typeof readColours>;

const xRange = ({ lastEpoch, logarithmic }: Picture): [number, number] =>
  logarithmic ? [0.8, Math.max(2, lastEpoch)] : [0, Math.max(2, lastEpoch)];

function ticksOf({ lastEpoch, logarithmic }: Picture): number[] {
  if (lastEpoch === 0) return [];
  return (logarithmic ? logarithmicTicks : linearTicks)(Math.max(2, lastEpoch));
}

const widthOf = ({ kind }: Curve) =>
  kind === "ghost loss" ? 1.5 : kind === "ghost accuracy" ? 1.75 : kind === "accuracy" || kind === "loss" ? 2 : 1.5;

/** Makes the curves of one run thick and the others faint; null lifts none. */
export function lift(u: uPlot, curves: Curve[], runId: number | null) {
  const isDrawn = runId !== null && curves.some((curve) => curve.runId === runId);
  curves.forEach((curve, at) => {
    const series = u.series[at + 1];
    if (series === undefined) return;
    const isLifted = isDrawn && curve.runId === runId;
    series.width = widthOf(curve) + (isLifted ? 1.75 : 0);
    series.alpha = isDrawn && !isLifted ? 0.3 : 1;
  });
}

function seriesOf(curve: Curve, picture: () => Picture, colours: () => Colours): uPlot.Series {
  const ghost = curve.kind.startsWith("ghost");
  const beside = curve.kind === "held-out accuracy" || curve.kind === "inference accuracy";
  const stroke = () => {
    if (ghost) return colours().runs[curve.slot ?? 0] ?? colours().ghost;
    if (picture().outdated) return colours().ghost;
    return curve.kind === "loss" ? colours().loss : colours().accent;
  };
  return {
    label: curve.name,
    scale: curve.kind.endsWith("loss") ? "loss" : "accuracy",
    stroke,
    width: widthOf(curve),
    ...(ghost
      ? { dash: [...(DASHES[curve.slot ?? 0] ?? [])] }
      : beside
        ? { dash: curve.kind === "held-out accuracy" ? [7, 4] : [2, 3] }
        : {}),
    points: { show: (u, series) => !ghost && (u.data[series]?.length ?? 0) < 2, size: 7, stroke, fill: stroke },
  };
}

/** Moves the crosshair to the nearest epoch. */
const toEpoch = (u: uPlot, left: number, top: number): [number, number] => {
  if (left < 0) return [left, top];
  return [u.valToPos(Math.max(1, Math.round(u.posToVal(left, "x"))), "x"), top];
};

/** Makes a plot. Its set of curves and the kind of its epoch axis are fixed; data, size and colours may change. */
export function makePlot(
  at: HTMLElement,
  size: { width: number; height: number },
  picture: () => Picture,
  colours: () => Colours,
  on: { moved(): void; drawn(plot: uPlot): void },
): uPlot {
  const narrow = size.width < NARROW;
  const losses = () =>
    picture()
      .curves.filter(({ kind }) => kind.endsWith("loss"))
      .map(({ column }) => column);
  const axis = { font: FONT, labelFont: FONT, ticks: { show: false }, gap: 8 };
  return new uPlot(
    {
      ...size,
      padding: [BAND, narrow ? 4 : 8, 0, 0],
      legend: { show: false },
      cursor: { move: toEpoch, y: false, drag: { x: false, y: false }, points: { size: 9 } },
      scales: {
        x: { time: false, distr: picture().logarithmic ? 3 : 1, range: () => xRange(picture()) },
        accuracy: { range: [0, 101.5] },
        loss: { distr: 3, range: () => lossRange(losses()) },
      },
      axes: [
        {
          ...axis,
          stroke: () => colours().muted,
          grid: { show: false },
          splits: () => ticksOf(picture()),
          filter: (_u, splits) => splits,
          values: (u, splits) =>
            thinned(splits, (tick) => u.valToPos(tick, "x")).map((tick) => (tick === null ? null : formatCount(tick))),
          size: scaled(34),
        },
        {
          ...axis,
          scale: "accuracy",
          stroke: () => colours().accent,
          grid: { stroke: () => colours().line, width: 1 },
          splits: [0, 25, 50, 75, 100],
          values: (_u, splits) => splits.map((tick) => (tick === 100 ? "100 %" : String(tick))),
          size: scaled(58),
        },
        {
          ...axis,
          scale: "loss",
          side: 1,
          stroke: () => colours().loss,
          grid: { show: false },
          // uPlot drops an axis whose range none of its own steps fits, as where a loss explodes.
          incrs: (_u, _axis, min, max) => [max - min],
          splits: () => decades(lossRange(losses())),
          filter: (_u, splits) => splits,
          values: (_u, splits) => splits.map(formatDecade),
          size: scaled(62),
        },
      ],
      series: [{}, ...picture().curves.map((curve) => seriesOf(curve, picture, colours))],
      hooks: {
        draw: [(u) => drawEnd(u, picture(), colours()), (u) => labelCurves(u, picture(), colours()), on.drawn],
        setCursor: [on.moved],
      },
    },
    dataOf(picture()),
    at,
  );
}

export function dataOf({ epochs, curves }: Picture): uPlot.AlignedData {
  return [epochs, ...curves.map(({ column }) => column)];
}

function formatDecade(tick: number): string {
  if (tick < 1e-4 || tick >= 1e5) return tick.toExponential(0).replace("+", "");
  return tick < 1 ? String(Number(tick.toPrecision(1))) : formatCount(tick);
}

/** Draws the measures after the end as a diamond on each scale: they are no points of the curves. */
function drawEnd(u: uPlot, { end, outdated }: Picture, colours: Colours) {
  if (end === null) return;
  const { ctx } = u;
  const size = 5 * devicePixelRatio;
  const diamond = (value: number | null, scale: "accuracy" | "loss", colour: string) => {
    if (value === null) return;
    const x = u.valToPos(end.epoch, "x", true);
    const y = u.valToPos(value, scale, true);
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
    ctx.closePath();
    ctx.fillStyle = outdated ? colours.ghost : colour;
    ctx.fill();
    ctx.stroke();
  };
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.strokeStyle = colours.background;
  diamond(end.loss, "loss", colours.loss);
  diamond(end.accuracy, "accuracy", colours.accent);
  ctx.restore();
}

/** Writes each curve's name at its end, and the names of the axes above them. */
function labelCurves(u: uPlot, { curves, epochs, outdated }: Picture, colours: Colours) {
  const { ctx } = u;
  const ratio = devicePixelRatio;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.font = FONT.replace(`${SIZE}px`, `${SIZE * ratio}px`);
  ctx.lineJoin = "round";
  ctx.lineWidth = 5 * ratio;
  ctx.strokeStyle = colours.background;
  ctx.textBaseline = "middle";

  // On a narrow chart the events need this room, and the curves have the same names.
  if (u.width >= NARROW || epochs.length === 0) {
    ctx.fillStyle = colours.accent;
    ctx.textAlign = "left";
    ctx.fillText("accuracy", 2 * ratio, top - 16 * ratio);
    ctx.fillStyle = colours.loss;
    ctx.textAlign = "right";
    ctx.fillText("loss", u.width * ratio - 10 * ratio, top - 16 * ratio);
  }

  const taken: { x0: number; x1: number; y: number }[] = [];
  for (const { name, column, kind, slot } of [...curves].reverse()) {
    // Losses end apart, where accuracies often end together.
    if (kind === "ghost accuracy") continue;
    let last = Math.min(column.length, epochs.length) - 1;
    while (last >= 0 && (column[last] ?? null) === null) last--;
    const value = column[last];
    if (value === null || value === undefined) continue;
    const textWidth = ctx.measureText(name).width;
    const endX = u.valToPos(last + 1, "x", true);
    const endY = u.valToPos(value, kind.endsWith("loss") ? "loss" : "accuracy", true);
    const fits = endX + textWidth + 14 * ratio < left + width;
    const x0 = fits ? endX + 10 * ratio : Math.min(endX, left + width) - textWidth - 6 * ratio;
    const step = LABEL_HEIGHT * ratio;
    // Next to the end of a growing curve; above a curve that has reached the edge, or below it at the top.
    let y = fits ? endY : endY - step * 0.7 < top + step * 0.3 ? endY + step * 0.8 : endY - step * 0.7;
    y = Math.min(top + height - step / 2, Math.max(top + step / 2, y));
    const clash = (at: number) => taken.some((t) => Math.abs(t.y - at) < step && t.x0 < x0 + textWidth && x0 < t.x1);
    const wanted = y;
    for (let tries = 1; clash(y) && tries < 12; tries++) {
      const away = wanted + Math.ceil(tries / 2) * step * (tries % 2 === 0 ? -1 : 1);
      if (away > top + step / 2 && away < top + height - step / 2) y = away;
    }
    taken.push({ x0, x1: x0 + textWidth, y });
    ctx.textAlign = "left";
    ctx.fillStyle =
      (kind.startsWith("ghost")
        ? colours.runs[slot ?? 0]
        : outdated
          ? colours.muted
          : kind === "loss"
            ? colours.loss
            : colours.accent) ?? "";
    ctx.strokeText(name, x0, y);
    ctx.fillText(name, x0, y);
  }
  ctx.restore();
}
