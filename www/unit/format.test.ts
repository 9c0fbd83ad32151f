import { expect, test } from "@playwright/test";
import * as format from "../src/format";

const rows: { of: (value: number) => string; value: number; text: string }[] = [
  { of: format.formatLoss, value: Math.LN2, text: "0.6931" },
  { of: format.formatLoss, value: 0.00021345, text: "0.0002135" },
  { of: format.formatLoss, value: 1.5e-7, text: "1.500e-7" },
  { of: format.formatLoss, value: 12345.6, text: "1.235e4" },
  { of: format.formatLoss, value: 0, text: "0" },
  { of: format.formatLoss, value: NaN, text: "not a number" },
  { of: format.formatLoss, value: Infinity, text: "infinite" },
  { of: format.formatPercent, value: 0.55, text: "55 %" },
  { of: format.formatPercent, value: 0.9987, text: "99.9 %" },
  { of: format.formatCount, value: 1234567, text: "1,234,567" },
  { of: format.formatRate, value: 0.001, text: "0.001" },
  { of: format.formatRate, value: 1e-7, text: "1e-7" },
  { of: format.formatRate, value: 1e-5, text: "0.00001" },
  { of: format.formatTimeLeft, value: 3200, text: "4 s left" },
  { of: format.formatTimeLeft, value: 125000, text: "2 min 5 s left" },
  { of: format.formatTimeLeft, value: 7260000, text: "2 h 1 min left" },
  { of: format.formatBytes, value: 41_300_000, text: "42 MB" },
  { of: format.formatPlain, value: 1e-9, text: "0.000000001" },
];
for (const { of, value, text } of rows) {
  test(`${of.name}(${value}) is ${text}`, () => expect(of(value)).toBe(text));
}

test("each step of the slider is another rate, and each rate maps back to its step", () => {
  const positions = Array.from({ length: 121 }, (_, step) => Math.round(step * 5 - 500) / 100);
  const rates = positions.map(format.fromSlider);
  expect(new Set(rates).size).toBe(rates.length);
  expect([rates[0], rates.at(-1)]).toEqual([1e-5, 10]);
  rates.forEach((rate, at) =>
    expect(format.toSlider(rate, { min: 1e-5, max: 10 })).toBeCloseTo(positions[at] ?? NaN, 9),
  );
  expect(format.toSlider(0, { min: 1e-5, max: 10 })).toBe(-5);
});

test("a number with commas is read as a decimal or as thousands", () => {
  const rows: [string, string | null][] = [
    ["0,01", "0.01"],
    ["1,5", "1.5"],
    ["0,001", "0.001"],
    ["1,000", "1000"],
    ["1,000,000", "1000000"],
    ["1e-3", null],
    ["0.01", null],
    ["a,b", null],
    ["1,2,3", null],
  ];
  for (const [typed, meant] of rows) expect(format.withoutCommas(typed), typed).toBe(meant);
});
