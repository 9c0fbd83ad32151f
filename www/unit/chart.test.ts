import { expect, test } from "@playwright/test";
import type { EventKind, RunEvent } from "overfit-lab";
import { decades, linearTicks, logarithmicTicks, lossRange } from "../src/views/chart-data";
import { eventsOf, placeMarks, textOf } from "../src/views/chart-marks";

test("ticks of the epoch axis end with the last epoch", () => {
  expect(logarithmicTicks(500)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500]);
  expect(logarithmicTicks(60)).toEqual([1, 2, 5, 10, 20, 60]);
  expect(logarithmicTicks(2)).toEqual([1, 2]);
  expect(linearTicks(500)).toEqual([100, 200, 300, 400, 500]);
  expect(linearTicks(7)).toEqual([2, 4, 6, 7]);
  expect(linearTicks(2)).toEqual([1, 2]);
});

test("the loss axis has whole decades around the finite losses", () => {
  const rows: { losses: (number | null)[]; range: [number, number] }[] = [
    { losses: [], range: [1e-3, 10] },
    { losses: [0.7, null, 0.01], range: [1e-3, 10] },
    { losses: [0.7, 3e-6], range: [1e-6, 10] },
    { losses: [4200], range: [1e-3, 1e4] },
  ];
  for (const { losses, range } of rows) {
    const found = lossRange([losses]);
    range.forEach((bound, at) => expect((found[at] ?? 0) / bound).toBeCloseTo(1, 9));
  }
  expect(decades([1e-3, 10]).map((tick) => tick.toPrecision(1))).toEqual(["0.001", "0.01", "0.1", "1", "1e+1"]);
});

const event = (epoch: number, kind: EventKind, text: string): RunEvent => ({ epoch, kind, text });

test("close marks are placed in two rows, and closer ones share a mark", () => {
  const events = [
    event(10, "first_reached", "first 100 %"),
    event(11, "lost", "lost"),
    event(12, "held", "held from here"),
  ];
  const marks = placeMarks(events, (epoch) => epoch * 5, 600);
  expect(marks.map(({ row, events }) => [row, events.length])).toEqual([
    [0, 1],
    [1, 1 + 1],
  ]);
});

test("a dragged learning rate is one mark, and labels at the right edge are at the left of their marks", () => {
  const dragged = [100, 101, 102].map((epoch) => event(epoch, "learning_rate_changed", "learning rate 0.01"));
  const marks = placeMarks(dragged, (epoch) => epoch * 6, 620);
  expect(marks.map(({ flipped, events }) => [flipped, events.length])).toEqual([[true, 3]]);
});

test("rates set by hand are those that the run trained with, and several are a count and a range", () => {
  const rates = [0.001, 0.002, 0.005, 0.05].map((rate, at) => ({ epoch: 1 + 40 * at, rate }));
  const events = eventsOf({ rates, events: [event(67, "learning_rate_changed", "learning rate 0.001")] });
  expect(events.map(({ epoch, text }) => [epoch, text])).toEqual([
    [41, "rate 0.002"],
    [81, "rate 0.005"],
    [121, "rate 0.05"],
  ]);
  expect(placeMarks(events, (epoch) => epoch * 5, 800).map(({ events }) => textOf(events))).toEqual([
    "rate 0.002",
    "rate 0.005",
    "rate 0.05",
  ]);
  const [crowded] = placeMarks(events, (epoch) => epoch / 10, 800);
  expect(textOf(crowded?.events ?? [])).toBe("3 rates between 0.002 and 0.05");
});

test("a rate without room for its label stays at its epoch, and joins no mark of another kind", () => {
  const events = [
    event(10, "first_reached", "first 100 %"),
    event(11, "held", "held from here"),
    { ...event(12, "learning_rate_changed", "rate 0.002"), rate: 0.002 },
  ];
  const marks = placeMarks(events, (epoch) => epoch * 5, 600);
  expect(marks.map(({ x, bare, events }) => [x, bare, events.length])).toEqual([
    [50, false, 1],
    [55, false, 1],
    [60, true, 1],
  ]);
});
