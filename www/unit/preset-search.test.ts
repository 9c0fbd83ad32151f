import { expect, test } from "@playwright/test";
import type { GroupTitle, Preset } from "overfit-lab";
import { isFound, sentenceOf } from "../src/preset-search";

const group: GroupTitle = { group: "head", title: "Mistakes in the head and the loss" };
const preset = {
  id: "relu-normalised",
  group: "head",
  name: "Scores as probabilities",
  summary: "ReLU outputs divided by their sum",
  mistake: { sees: "The loss is not a number.", does: "0 / 0.", mends: "End with softmax.", words: "NaN stuck" },
} as unknown as Preset;

test("a preset is found by its name, sentence, symptom, cure, group and other words, in any order", () => {
  for (const query of [
    "",
    "scores",
    "DIVIDED",
    "not a number",
    "softmax",
    "nan",
    "loss head",
    "relu-norm",
    "stuck nan",
  ])
    expect(isFound(preset, group, query), query).toBe(true);
  for (const query of ["pixels", "scores pixels"]) expect(isFound(preset, group, query), query).toBe(false);
  expect(isFound({ ...preset, mistake: null }, group, "softmax")).toBe(false);
});

test("what was found by its symptom shows the symptom", () => {
  expect(sentenceOf(preset, "scores")).toBe("ReLU outputs divided by their sum");
  expect(sentenceOf(preset, "number")).toBe("The loss is not a number.");
  expect(sentenceOf(preset, "softmax")).toBe("ReLU outputs divided by their sum");
  expect(sentenceOf(preset, "")).toBe("ReLU outputs divided by their sum");
});
