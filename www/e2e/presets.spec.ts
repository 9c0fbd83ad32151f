/** The combobox "Experiment". */
import { expect, test, type LabPage } from "./lab";

const listbox = (lab: LabPage) => lab.page.getByRole("listbox", { name: "Experiments" });
const shown = (lab: LabPage) => listbox(lab).getByRole("option").allTextContents();
const active = (lab: LabPage) =>
  lab.experiment.evaluate((input) => {
    const option = document.getElementById(input.getAttribute("aria-activedescendant") ?? "");
    return option?.textContent ?? null;
  });

test("the list has every preset in its group, with its sentence, at the chosen one", async ({ lab, page }) => {
  await lab.open();
  await expect(listbox(lab)).toBeHidden();
  await lab.experiment.click();
  const { groups, presets } = await page.evaluate(() => {
    const { groups, presets } = window.__overfitLab.catalogue() ?? { groups: [], presets: [] };
    return {
      groups,
      presets: presets.map(({ name, group, summary, mistake }) => ({ name, group, summary, hidden: mistake?.hidden })),
    };
  });
  expect(groups.length).toBeGreaterThanOrEqual(6);
  for (const { group, title } of groups) {
    const options = listbox(lab).getByRole("group", { name: title }).getByRole("option");
    const own = presets.filter((preset) => preset.group === group);
    await expect(options).toHaveCount(own.length);
    await expect(options.first()).toHaveAccessibleName(own[0]?.name ?? "");
    await expect(options.first()).toHaveAccessibleDescription(
      (own[0]?.summary ?? "") + (own[0]?.hidden ? " still memorises" : ""),
    );
  }
  await expect(lab.option("Example 1")).toHaveAttribute("aria-selected", "true");
  await expect(lab.option("Example 1")).toBeInViewport();
  // It lies over the page and moves nothing.
  await expect(lab.slider("Batch size")).toBeVisible();
});

for (const { typed, finds, not } of [
  { typed: "softmax", finds: ["One softmax unit", "Softmax twice"], not: ["Example 1", "Pixels 0 to 255, SGD"] },
  { typed: "nan", finds: ["ReLU as the last activation, one-hot"], not: ["Example 1"] },
  { typed: "0.693", finds: ["Pixels 0 to 255, SGD"], not: ["Example 1", "VGG, small"] },
  { typed: "zero_grad", finds: ["Gradients never zeroed"], not: ["Example 3"] },
  { typed: "residual", finds: ["ResNet, small"], not: ["Example 1"] },
]) {
  test(`typing ${typed} finds what it means`, async ({ lab, page }) => {
    await lab.open();
    await lab.experiment.fill(typed);
    const found = await shown(lab);
    const names = await page.evaluate(() => window.__overfitLab.catalogue()?.presets.map(({ name }) => name) ?? []);
    for (const name of finds) expect(found).toContain(name);
    for (const name of not) expect(found).not.toContain(name);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(names.length);
    await expect(page.locator("#experiment-found")).toHaveText(`${found.length} found`);
    // Enter takes the first.
    await lab.experiment.press("Enter");
    await expect(lab.experiment).toHaveValue(found[0] ?? "");
    await expect(listbox(lab)).toBeHidden();
    await expect(page.getByRole("region", { name: "Outcome so far" }).getByRole("heading")).toHaveText(found[0] ?? "");
  });
}

test("arrows, Home, End, Enter and Escape work, and the focus stays in the field", async ({ lab }) => {
  await lab.open();
  await lab.experiment.focus();
  await expect(listbox(lab)).toBeHidden();
  for (const [key, name] of [
    ["ArrowDown", "Example 1"],
    ["ArrowDown", "Example 2"],
    ["End", null],
    ["ArrowDown", "Example 1"],
    ["ArrowUp", null],
    ["Home", "Example 1"],
    ["ArrowDown", "Example 2"],
  ] as const) {
    await lab.experiment.press(key);
    const now = await active(lab);
    if (name !== null) expect(now).toBe(name);
    else expect(now).toBe((await shown(lab)).at(-1));
    await expect(lab.option(now ?? "")).toBeInViewport();
    await expect(lab.experiment).toBeFocused();
  }
  await lab.experiment.press("Escape");
  await expect(listbox(lab)).toBeHidden();
  await expect(lab.experiment).toHaveValue("Example 1");
  // Half a name is no choice.
  await lab.experiment.fill("Exam");
  await lab.experiment.press("Escape");
  await expect(lab.experiment).toHaveValue("Example 1");
  await lab.experiment.fill("Exam");
  await lab.field("Seed").focus();
  await expect(lab.experiment).toHaveValue("Example 1");
  await expect(listbox(lab)).toBeHidden();
});

test("where nothing is found, the list says what to try", async ({ lab, page }) => {
  await lab.open();
  await lab.experiment.fill("xyzzy");
  await expect(listbox(lab).getByRole("option")).toHaveCount(0);
  await expect(page.locator("#experiment-found")).toContainText("Nothing found");
  await lab.experiment.press("Enter");
  await expect(lab.experiment).toHaveValue("Example 1");
});

test("mistakes that this test does not catch are marked", async ({ lab, page }) => {
  await lab.open();
  const hidden = await page.evaluate(
    () =>
      window.__overfitLab
        .catalogue()
        ?.presets.filter(({ mistake }) => mistake?.hidden)
        .map(({ name }) => name) ?? [],
  );
  expect(hidden.length).toBeGreaterThan(5);
  await lab.experiment.click();
  await expect(listbox(lab).getByText("still memorises", { exact: true })).toHaveCount(hidden.length);
  for (const name of hidden) await expect(lab.option(name)).toHaveAccessibleDescription(/still memorises/);
});

test("a restored run brings its preset", async ({ lab }) => {
  await lab.open();
  await lab.choose("MLP");
  await lab.trainFor(2);
  await lab.choose("Example 1");
  await lab.button("Restore run 1: MLP").click();
  await expect(lab.experiment).toHaveValue("MLP");
  await lab.experiment.click();
  await expect(lab.option("MLP")).toHaveAttribute("aria-selected", "true");
});

test.describe("by touch", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });
  test("a preset is found and chosen in the sheet", async ({ lab }) => {
    await lab.open();
    await lab.button("Settings").tap();
    await lab.experiment.tap();
    await expect(listbox(lab)).toBeVisible();
    await lab.experiment.fill("stuck");
    await listbox(lab).getByRole("option").nth(1).tap();
    await expect(listbox(lab)).toBeHidden();
    await expect(lab.experiment).not.toHaveValue(/Example|stuck/);
    await expect(lab.mistake).toBeVisible();
  });
});

test("the controls fit beside the stage without scrolling at 1440 x 900", async ({ lab, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await lab.open("");
  await lab.choose("Example 3");
  await expect(lab.field("Seed")).toBeInViewport({ ratio: 1 });
  const fields = page.locator(".fields");
  expect(await fields.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)).toBe(0);
});
