/** Formats numbers for the page. */

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

/** A learning rate as a person would type it. */
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

/** The intended number of a text with commas, such as "0,01" or "1,000"; null for any other text. */
export function withoutCommas(text: string): string | null {
  const trimmed = text.trim();
  if (/^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(trimmed)) return trimmed.replaceAll(",", "");
  return /^-?\d+,\d+(e-?\d+)?$/i.test(trimmed) ? trimmed.replace(",", ".") : null;
}

/** A number for an attribute, without an exponent. */
export function formatPlain(value: number): string {
  return value.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 20 });
}

/** A logarithmic slider holds the decimal logarithm of its value. */
const STEPS_PER_DECADE = 20;
export const SLIDER_STEP = 1 / STEPS_PER_DECADE;
export function toSlider(value: number, { min, max }: { min: number; max: number }): number {
  return Math.round(Math.log10(Math.min(max, Math.max(min, value))) * STEPS_PER_DECADE) / STEPS_PER_DECADE;
}
/** The value, rounded to 2 significant digits: a person cannot aim more finely. */
export function fromSlider(position: number): number {
  return Number((10 ** position).toPrecision(2));
}
