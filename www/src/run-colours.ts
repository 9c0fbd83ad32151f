/** The colours and dashes by which runs are compared. The colours are the tokens --run-1 and so on. */

/** The dash of each slot, in CSS pixels. The run on stage has no slot: its lines are solid and have the chart's own colours. */
export const DASHES = [
  [9, 4],
  [3, 3],
  [12, 3, 3, 3],
  [6, 2],
  [2, 5],
] as const;

/** Runs that are compared with the one on stage: six in all. */
export const MOST_COMPARED = DASHES.length;

export const colourToken = (slot: number) => `--run-${slot + 1}`;

/** The first slot that is not in use. */
export function freeSlot(used: (number | null)[]): number {
  return DASHES.findIndex((_, slot) => !used.includes(slot));
}
