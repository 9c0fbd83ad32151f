import { expect, test } from "@playwright/test";
import { compared } from "../src/views/sorting";

test("cells are sorted by the numbers in them, and NaN comes last", () => {
  const texts = ["seed 10", "learning rate 0.01, seed 2", "", "learning rate 0.0005", "learning rate 0.002", "seed 9"];
  expect([...texts].sort(compared)).toEqual([
    "",
    "learning rate 0.0005",
    "learning rate 0.002",
    "learning rate 0.01, seed 2",
    "seed 9",
    "seed 10",
  ]);
  expect([2, NaN, Infinity, -1].sort(compared)).toEqual([-1, 2, Infinity, NaN]);
});
