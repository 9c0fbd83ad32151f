import { expect, test } from "@playwright/test";
import type { FieldLimit } from "overfit-lab";
import { lossText, memorisedText } from "../src/views/code";
import { stepped } from "../src/views/settings";

const limit = (whole: boolean): FieldLimit => ({
  field: "field",
  label: "Field",
  min: 0,
  max: 1,
  below_max: false,
  whole,
  slider_min: null,
  slider_max: null,
});

test("arrow keys step whole numbers by one and others in their second digit", () => {
  expect([stepped(20, 1, limit(true)), stepped(20, -1, limit(true))]).toEqual(["21", "19"]);
  expect([stepped(0.9, 1, limit(false)), stepped(0.9, -1, limit(false))]).toEqual(["0.91", "0.89"]);
  expect([stepped(1e-7, 1, limit(false)), stepped(0, 1, limit(false))]).toEqual(["1.1e-7", "0.01"]);
  expect(stepped(255, 1, undefined)).toBe("265");
});

test("a check gives the number of seeds that memorised, and a loss of NaN as not a number", () => {
  expect(memorisedText({ memorised: 2, loss: 0.5 }, 3)).toBe("2 of 3");
  expect(lossText({ memorised: 2, loss: 0.5 })).toBe("0.5000");
  expect(lossText({ memorised: 0, loss: null })).toBe("not a number");
});
