/** Numbers as the page shows them. */

/** A loss with 4 significant digits; never a bare "NaN". */
export function formatLoss(loss: number): string {
  if (Number.isNaN(loss)) return "not a number";
  if (!Number.isFinite(loss)) return loss > 0 ? "infinite" : "minus infinite";
  if (loss === 0) return "0";
  const text = Math.abs(loss) < 1e-4 ? loss.toExponential(3) : loss.toPrecision(4);
  return text.replace("e+", "e");
}

export function formatPercent(share: number): string {
  return `${trimmed((share * 100).toFixed(1))} %`;
}

export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A rate as a person would type it. */
export function formatRate(rate: number): string {
  const text = String(Number(rate.toPrecision(6)));
  return text.replace(/e([+-])0*/, "e$1").replace("e+", "e");
}

export function formatMilliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatTimeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s left`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} KB`
    : bytes < 1e9
      ? `${Math.ceil(bytes / 1e6)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`;
}

function trimmed(decimal: string): string {
  return decimal.replace(/\.0$/, "");
}

/** A number as attributes want it: without an exponent. */
export function formatPlain(value: number): string {
  return value.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 20 });
}

/** Where a value stands on a logarithmic slider of so many steps, and back. */
export const SLIDER_STEPS = 120;
export function toSlider(value: number, min: number, max: number): number {
  const share = Math.log(value / min) / Math.log(max / min);
  return Math.round(Math.min(1, Math.max(0, share)) * SLIDER_STEPS);
}
/** Rounded to 2 significant digits, which is as fine as a person can aim. */
export function fromSlider(position: number, min: number, max: number): number {
  return Number((min * (max / min) ** (position / SLIDER_STEPS)).toPrecision(2));
}
