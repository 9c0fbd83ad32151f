import { expect, test } from "@playwright/test";
import type { Change, Experiment } from "overfit-lab";
import { freeSlot } from "../src/run-colours";
import { labelsOf } from "../src/run-labels";

const run = (id: number, changes: [string, string, string][] = [], presetId = "example-1") => ({
  id,
  presetId,
  mended: false,
  experiment: { seed: 1, training: { learning_rate: 0.001 } } as unknown as Experiment,
  changes: changes.map(([field, label, value]) => ({ field, label, value }) as Change),
});
const labels = (runs: ReturnType<typeof run>[]) => [...labelsOf(runs, ({ presetId }) => presetId).values()];
const rate = (value: string): [string, string, string] => ["training.learning_rate", "learning rate", value];

test("runs that differ in one setting are named by its value alone", () => {
  expect(labels([run(1), run(2, [rate("0.01")]), run(3, [rate("0.1")])])).toEqual(["0.001", "0.01", "0.1"]);
});

test("a setting that all have is in no name", () => {
  const epochs: [string, string, string] = ["training.epochs", "epochs", "60"];
  expect(labels([run(1, [epochs]), run(2, [epochs, rate("0.01")])])).toEqual(["0.001", "0.01"]);
});

test("several differing settings are named, and presets where they differ", () => {
  const seed: [string, string, string] = ["seed", "seed", "7"];
  expect(labels([run(1), run(2, [rate("0.01"), seed])])).toEqual([
    "learning rate 0.001, seed 1",
    "learning rate 0.01, seed 7",
  ]);
  expect(labels([run(1), run(2, [], "example-3")])).toEqual(["example-1", "example-3"]);
});

test("names that tell all runs apart are enough", () => {
  expect(labels([run(1, [rate("0.01")]), run(2, [], "example-3")])).toEqual(["example-1", "example-3"]);
});

test("runs that do not differ have their numbers", () => {
  expect(labels([run(1), run(2)])).toEqual(["run 1", "run 2"]);
});

test("the first free slot is taken", () => {
  expect([freeSlot([]), freeSlot([0, null, 2]), freeSlot([1, 0])]).toEqual([0, 1, 2]);
});
