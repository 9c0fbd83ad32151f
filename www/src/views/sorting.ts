/** Compares cells of a table. */

const PIECES = /\d+(\.\d+)?(e-?\d+)?|\D+/g;

/** Negative if the first comes first. Numbers in texts are compared by their values; NaN comes last. */
export function compared(first: string | number, second: string | number): number {
  if (typeof first === "number" && typeof second === "number") return comparedNumbers(first, second);
  const pieces = (text: string | number) => String(text).match(PIECES) ?? [];
  const [left, right] = [pieces(first), pieces(second)];
  for (const [at, piece] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const difference = Number(piece) - Number(other);
    const order = Number.isNaN(difference) ? piece.localeCompare(other, "en") : difference;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function comparedNumbers(first: number, second: number): number {
  if (Number.isNaN(first) || Number.isNaN(second)) return Number(Number.isNaN(first)) - Number(Number.isNaN(second));
  return Number(first > second) - Number(first < second);
}
