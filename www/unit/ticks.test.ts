import { expect, test } from "@playwright/test";
import { formatCount } from "../src/format";
import { linearTicks, logarithmicTicks, thinned } from "../src/views/chart-data";

test("no labels of the epoch axis overlap, up to 100,000 epochs on a narrow page", () => {
  for (const last of [2, 60, 500, 1000, 20_000, 100_000]) {
    for (const width of [230, 900]) {
      const places = [
        { ticks: logarithmicTicks(last), xOf: (tick: number) => (Math.log(tick) / Math.log(last)) * width },
        { ticks: linearTicks(last), xOf: (tick: number) => (tick / last) * width },
      ];
      for (const { ticks, xOf } of places) {
        const shown = thinned(ticks, xOf).filter((tick) => tick !== null);
        expect(shown.at(-1)).toBe(last);
        const ends = shown.map((tick) => ({ from: xOf(tick) - formatCount(tick).length * 4.5, tick }));
        ends.slice(1).forEach(({ from }, at) => {
          const before = ends[at];
          if (before === undefined) return;
          expect(from).toBeGreaterThan(xOf(before.tick) + formatCount(before.tick).length * 4.5);
        });
      }
    }
  }
});
