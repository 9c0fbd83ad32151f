/** Turns histories into the columns that the chart draws, all over the same epochs 1, 2, 3, ... */
import { formatCount } from "../format";
import type { History } from "../history";

/** A number, null where the curve has a gap (a loss of NaN), undefined where nothing is known. */
export type Column = (number | null | undefined)[];

/** The value at which a loss of 0 is drawn: a logarithmic axis has no 0. */
export const SMALLEST_LOSS = 1e-12;

interface Curves {
  accuracy: Column;
  loss: Column;
  /** Accuracy on the held-out images; empty if there are none. */
  heldOut: Column;
  /** Accuracy in inference; empty if training gives the same. */
  inference: Column;
  /** The number of the history's entries that are in the columns. */
  done: number;
}

/** Keeps the columns of each history, and adds only new epochs. */
export class Columns {
  readonly epochs: number[] = [];
  private readonly curves = new WeakMap<History, Curves>();

  of(history: History): Curves {
    let curves = this.curves.get(history);
    if (curves === undefined || curves.done > history.length) {
      curves = { accuracy: [], loss: [], heldOut: [], inference: [], done: 0 };
      this.curves.set(history, curves);
    }
    for (; curves.done < history.length; curves.done++) {
      const at = (history.epoch[curves.done] ?? 1) - 1;
      const loss = history.loss[curves.done] ?? NaN;
      curves.accuracy[at] = (history.accuracy[curves.done] ?? 0) * 100;
      if (history.heldOut !== null) curves.heldOut[at] = (history.heldOut.accuracy[curves.done] ?? 0) * 100;
      if (history.inference !== null) curves.inference[at] = (history.inference.accuracy[curves.done] ?? 0) * 100;
      curves.loss[at] = Number.isFinite(loss) ? Math.max(loss, SMALLEST_LOSS) : null;
      while (this.epochs.length <= at) this.epochs.push(this.epochs.length + 1);
    }
    return curves;
  }
}

/** Whole decades around the losses, at least from 0.001 to 10, so that runs are easy to compare. */
export function lossRange(columns: Column[]): [number, number] {
  let min = 1e-3;
  let max = 10;
  for (const column of columns) {
    for (const loss of column) {
      if (loss === null || loss === undefined) continue;
      if (loss < min) min = loss;
      if (loss > max) max = loss;
    }
  }
  return [10 ** Math.floor(Math.log10(min) + 1e-9), 10 ** Math.ceil(Math.log10(max) - 1e-9)];
}

/** 1, 2, 5, 10, 20, ... up to the last epoch, which is always among them. */
export function logarithmicTicks(last: number): number[] {
  const ticks: number[] = [];
  for (let decade = 1; decade <= last; decade *= 10)
    for (const digit of [1, 2, 5]) if (digit * decade <= last * 0.75) ticks.push(digit * decade);
  return [...ticks, last];
}

export function linearTicks(last: number): number[] {
  const rough = last / 6;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((digit) => digit * decade).find((size) => size >= rough) ?? rough);
  const ticks: number[] = [];
  for (let tick = step; tick <= last - step / 2; tick += step) ticks.push(tick);
  return [...ticks, last];
}

export function decades([min, max]: [number, number]): number[] {
  const from = Math.round(Math.log10(min));
  const to = Math.round(Math.log10(max));
  const every = Math.ceil((to - from) / 6);
  return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, n) => 10 ** (to - n * every)).reverse();
}

/** The greatest width of a digit in a tick's label, and the space between two labels. */
const DIGIT = 9;
const BETWEEN_TICKS = 10;

/** Leaves out ticks whose labels would overlap the next one; the last tick always stays. */
export function thinned(ticks: number[], xOf: (tick: number) => number): (number | null)[] {
  const halfOf = (tick: number) => (formatCount(tick).length * DIGIT) / 2;
  let next = Infinity;
  return ticks
    .toReversed()
    .map((tick) => {
      const x = xOf(tick);
      if (x + halfOf(tick) + BETWEEN_TICKS > next) return null;
      next = x - halfOf(tick);
      return tick;
    })
    .reverse();
}
