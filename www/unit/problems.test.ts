import { expect, test } from "@playwright/test";
import type { FormGroup, InvalidField } from "overfit-lab";
import { entriesAfter, problemElsewhere, problemOf } from "../src/problems";

const problem = (field: string): InvalidField => ({ field, value: "x", allowed: "y", message: `${field} is wrong` });
const groups = (values: Record<string, string>): FormGroup[] => [
  {
    title: "All",
    fields: Object.entries(values).map(([field, value]) => ({
      field,
      label: field,
      keras: null,
      unit: null,
      control: { type: "number" },
      value,
    })),
  },
];

test("the problem of a list's entry is shown at the list", () => {
  const form = { refused: [], problems: [problem("network.layers[2].units"), problem("seed")] };
  expect(problemOf(form, "network.layers")?.field).toBe("network.layers[2].units");
  expect(problemOf(form, "network")).toBeNull();
  expect(problemElsewhere(form, new Set(["network.layers", "seed"]))).toBeNull();
  expect(problemElsewhere(form, new Set(["network.layers"]))?.field).toBe("seed");
});

test("a refused entry is shown at its control, whatever field the problem names", () => {
  const form = { refused: [{ field: "network.layers", problem: problem("experiment") }], problems: [] };
  expect(problemOf(form, "network.layers")?.field).toBe("experiment");
  expect(problemElsewhere(form, new Set(["network.layers"]))).toBeNull();
  expect(problemElsewhere(form, new Set(["experiment"]))?.field).toBe("experiment");
});

test("an edit keeps other entries, but not those of fields that it changed or removed", () => {
  const form = {
    typed: new Map([
      ["same", "1.0"],
      ["changed", "2.0"],
      ["gone", "x"],
      ["outside", "7"],
    ]),
    refused: ["same", "gone", "edited"].map((field) => ({ field, problem: problem(field) })),
    groups: groups({ same: "1", changed: "2", gone: "3", edited: "4" }),
  };
  const edit = {
    field: "edited",
    value: "5.0",
    refused: null,
    groups: groups({ same: "1", changed: "9", edited: "5" }),
  };
  const after = entriesAfter(form, edit);
  expect([...after.typed]).toEqual([
    ["same", "1.0"],
    ["outside", "7"],
    ["edited", "5.0"],
  ]);
  expect(after.refused.map(({ field }) => field)).toEqual(["same"]);

  const refused = entriesAfter(form, { ...edit, value: true, refused: problem("elsewhere") });
  expect(refused.typed.has("edited")).toBe(false);
  expect(refused.refused.at(-1)).toEqual({ field: "edited", problem: problem("elsewhere") });
});
