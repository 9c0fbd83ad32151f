import { expect, test } from "./lab";

test("every setting has a unique name in its group and shows the experiment's value", async ({ lab }) => {
  await lab.open();
  for (const group of ["Data", "Network", "Loss and optimizer", "Early stopping", "Augmentation"]) {
    await lab.openTab("All settings");
    const box = lab.page.getByRole("group", { name: group, exact: true }).last();
    const names = await box
      .locator("input, select, textarea")
      .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).labels?.[0]?.textContent ?? ""));
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain("");
  }
  await expect(lab.field("Image height")).toHaveValue("64");
  await expect(lab.field("Image width")).toHaveValue("64");
  await expect(lab.choice("Loss").locator("option:checked")).toHaveText("Sparse categorical cross-entropy");
});

test("a number, a choice and a switch can be edited, and the run lists the changes", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  await lab.field("Image height").fill("16");
  await lab.field("Image width").fill("16");
  await lab.field("Images").fill("12");
  await lab.slider("Batch size").fill("12");
  await lab.choice("Labels").selectOption("Balanced");
  await expect(lab.images.getByRole("listitem")).toHaveCount(12);
  await lab.openTab("All settings");
  await lab.checkbox("Horizontal flip").check();
  await lab.openTab("All settings");
  await lab.field("Beta 1").press("ArrowDown");
  await expect(lab.field("Beta 1")).toHaveValue("0.89");
  await lab.trainFor(2);
  await lab.openTab("Runs");
  const changed = lab.runs.getByRole("cell").nth(2);
  for (const text of [/images 12/, /image side 16/, /labels balanced/, /horizontal.flip/i, /optimizer/])
    await expect(changed).toContainText(text);
  await expect(lab.page.getByRole("region", { name: "Outcome so far" })).toContainText("of 12");
});

test("choosing a kind shows its fields, and another kind removes them", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  await expect(lab.field("Decay steps")).toHaveCount(0);
  await lab.choice("Schedule").focus();
  await lab.choice("Schedule").selectOption("Cosine decay");
  await expect(lab.field("Decay steps")).toBeVisible();
  await expect(lab.choice("Schedule")).toBeFocused();
  // A refused entry is removed with its field.
  await lab.field("Decay steps").fill("none");
  await expect(lab.alert).toHaveText(/^Decay steps/);
  await lab.choice("Schedule").selectOption("Constant");
  await expect(lab.alert).toHaveCount(0);
  await lab.trainFor(1);
});

test("an invalid value stays as it was typed, with the problem at its field, and Train goes there", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.openTab("All settings");
  const input = lab.field("Scale of the pixels");
  for (const value of ["big", "1e9", ""]) {
    await input.fill(value);
    await expect(input).toHaveAttribute("aria-invalid", "true");
    await expect(input).toHaveValue(value);
    await expect(lab.alert).toHaveText(/^Scale of the pixels/);
    await expect(input).toHaveAccessibleDescription((await lab.alert.textContent()) ?? "");
  }
  await expect(page.locator("#panel-settings h3", { hasText: "1 problem" })).toBeVisible();
  await lab.openTab("Runs");
  await expect(input).toBeHidden();
  await expect(lab.tab("All settings")).toHaveAccessibleName(/1 problem/);
  await lab.button("Train").click();
  await lab.button("Go to the field").click();
  await expect(input).toBeFocused();
  await lab.openTab("Runs");
  await expect(page.getByRole("table", { name: "Runs" })).toBeHidden();
  await lab.openTab("All settings");
  await input.fill("2");
  await expect(lab.alert).toHaveCount(0);
});

test("typing keeps the caret while a run redraws the page", async ({ lab, page }) => {
  await lab.open();
  await lab.endlessly();
  await lab.openTab("All settings");
  await lab.button("Train").click();
  await lab.reaches(2);
  const input = lab.field("Scale of the pixels");
  await input.fill("15");
  await input.press("ArrowLeft");
  await page.keyboard.type("2.", { delay: 60 });
  await expect(input).toHaveValue("12.5");
  await expect(input).toBeFocused();
  expect(await input.evaluate((element) => (element as HTMLInputElement).selectionStart)).toBe(3);
  await lab.button("Stop").click();
});

test("the layers can be edited as text, and an invalid one is named", async ({ lab, page }) => {
  await lab.open();
  await lab.openTab("All settings");
  const text = page.getByRole("textbox", { name: "Layers", exact: true });
  const good = await text.inputValue();
  expect(good.split("\n")).toHaveLength(6);

  await text.fill(good.replace('"units": 2', '"units": 0'));
  await text.press("ControlOrMeta+Enter");
  await expect(text).toHaveAttribute("aria-invalid", "true");
  await expect(lab.alert).toHaveText(/^Units.*0/);
  await expect(text).toBeFocused();
  await expect(text).toHaveValue(good.replace('"units": 2', '"units": 0'));

  await text.fill(good.replace('"type": "flatten"', '"type": "flat"'));
  await lab.field("Seed").focus();
  await expect(lab.alert).toHaveText(/Layer 3: "flat" is not allowed/);
  await lab.button("Train").click();
  await expect(text).toBeFocused();

  await text.fill("[");
  await text.press("ControlOrMeta+Enter");
  await expect(lab.alert).toHaveText(/JSON/);

  await text.fill(good.replace('"filters": 32', '"filters": 4'));
  await text.press("ControlOrMeta+Enter");
  await expect(lab.alert).toHaveCount(0);
  await expect(page.locator("#layers li").first()).toContainText("Conv 4");
  await lab.trainFor(1);
  await lab.openTab("Runs");
  await expect(lab.runs).toContainText("filters of layer 1 4");
});

test("an optimizer with other numbers is shown as custom", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  await lab.field("Beta 1").fill("0.5");
  await expect(lab.optimizer().locator("option:checked")).toHaveText("custom");
  await lab.optimizer().selectOption("Adam");
  await expect(lab.field("Beta 1")).toHaveValue("0.9");
  await expect(lab.optimizer().getByRole("option", { name: "custom" })).toHaveCount(0);
});

test("a network without convolutions has no convolution biases to switch", async ({ lab }) => {
  await lab.open();
  await lab.choose("MLP");
  await expect(lab.checkbox("Convolution biases")).toBeDisabled();
  await expect(lab.checkbox("Dense bias")).toBeEnabled();
});

test("held-out images have a curve, numbers and columns, and early stopping has a mark", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  await lab.field("Image height").fill("16");
  await lab.field("Image width").fill("16");
  await lab.field("Held-out images").fill("10");
  await lab.openTab("All settings");
  await lab.choice("Early stopping").selectOption("On the held-out loss");
  await lab.field("Patience").fill("2");
  await lab.field("Smallest improvement").fill("100");
  await lab.field("Epochs").fill("400");
  await lab.button("Train").click();
  await expect(lab.result).toContainText("Training accuracy after");
  await expect(lab.page.locator("#progress-text")).toHaveText(/stopped early$/);
  await expect(lab.chart.getByRole("button", { name: /stopped early/ })).toBeVisible();
  await lab.slider("Epoch to read on the chart").press("Home");
  await expect(lab.page.locator("#readout")).toHaveText(/^epoch 1, .*held-out loss \d\S+, held-out accuracy \d+ %$/);
  await lab.button("Show as table").click();
  await expect(lab.chart.getByRole("columnheader")).toHaveCount(7);
});

test("images that are not square keep their aspect ratio, and stay visible however thin they are", async ({ lab }) => {
  await lab.open();
  await lab.choose("MLP");
  await lab.openTab("All settings");
  await lab.field("Channels").fill("1");
  for (const [height, width] of [
    [16, 40],
    [2, 1000],
    [1000, 2],
    [10, 60],
  ] as const) {
    await lab.field("Image height").fill(String(height));
    await lab.field("Image width").fill(String(width));
    const canvas = lab.images.locator(`canvas[width="${width}"][height="${height}"]`);
    await expect(canvas).toHaveCount(20);
    const box = await canvas.first().boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(8);
    expect(Math.max(box?.width ?? 0, box?.height ?? 0)).toBeLessThan(700);
    if (width === 60) expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(6, 0);
  }
  await lab.trainFor(2);
});

test("of 2,000 images the first 200 are shown, and all are trained", async ({ lab, page }) => {
  await lab.open();
  await lab.openTab("All settings");
  await lab.field("Image height").fill("8");
  await lab.field("Image width").fill("8");
  await lab.field("Images").fill("2000");
  await expect(lab.images.getByRole("listitem")).toHaveCount(200);
  await expect(page.getByText("and 1,800 more")).toBeVisible();
  await lab.slider("Batch size").fill("500");
  await lab.trainFor(2);
  await expect(page.getByRole("region", { name: "Outcome so far" })).toContainText("of 2000");
  await expect
    .poll(async () => (await lab.imageNames()).filter((name) => /, (right|wrong)$/.test(name)).length)
    .toBe(200);
});

test("the code can be shown in each framework", async ({ lab, page }) => {
  await lab.open();
  await lab.openTab("Code");
  const frameworks = await page.evaluate(() => window.__overfitLab.catalogue()?.frameworks ?? []);
  const choice = page.getByRole("radiogroup", { name: "Framework" });
  await expect(choice.getByRole("radio")).toHaveCount(frameworks.length);
  await expect(choice.getByRole("radio", { name: "Keras", exact: true })).toBeChecked();
  const seen = new Set<string>();
  for (const { name } of frameworks) {
    await choice.getByRole("radio", { name, exact: true }).check();
    const script = page.getByRole("region", { name: `${name} script` });
    await expect(script).toContainText(/import (keras|torch)/);
    seen.add((await script.textContent()) ?? "");
  }
  expect(seen.size).toBe(frameworks.length);
});

test("settings are found by name, by Keras' name and by their choices", async ({ lab, page }) => {
  await lab.open("?tab=settings");
  const search = page.getByRole("searchbox", { name: "Search the settings" });
  for (const { typed, finds, not } of [
    { typed: "beta_1", finds: "Beta 1", not: "Image height" },
    { typed: "image hei", finds: "Image height", not: "Beta 1" },
    { typed: "augmentation shift", finds: "Shift", not: "Image height" },
  ]) {
    await search.fill(typed);
    await expect(lab.page.getByLabel(finds, { exact: true })).toBeVisible();
    await expect(lab.field(not)).toBeHidden();
    await expect(page.locator("#settings-found")).toHaveText(/^\d+ found$/);
  }
  await search.fill("cosine");
  await expect(lab.choice("Schedule")).toBeVisible();
  await search.fill("");
  await expect(lab.field("Image height")).toBeVisible();
});

test("changed settings are marked, can be shown alone, and lead back to the preset's value", async ({ lab, page }) => {
  await lab.open("?tab=settings");
  const marked = page.locator('.setting[data-changed="true"]');
  await expect(page.locator("#settings-found")).toHaveText("As in the preset.");
  await expect(marked).toHaveCount(0);
  const top = async () => (await lab.field("Image width").boundingBox())?.y;
  await lab.field("Image height").focus();
  const before = await top();
  await lab.field("Image height").fill("32");
  await expect(marked).toHaveCount(1);
  expect(await top()).toBe(before);
  await lab.choice("Schedule").selectOption("Cosine decay");
  await lab.checkbox("Horizontal flip").check();
  await page.getByRole("checkbox", { name: "Changed only" }).check();
  await expect(lab.field("Image height")).toBeVisible();
  await expect(lab.field("Image width")).toBeHidden();
  await expect(page.locator(".setting", { has: lab.field("Image height") })).toContainText("preset: 64");

  await lab.button("Image height: back to 64").click();
  await expect(lab.field("Image height")).toHaveValue("64");
  await expect(lab.field("Image height")).toBeFocused();
  await lab.button("Schedule: back to constant").click();
  await lab.button("Horizontal flip: back to false").click();
  await page.getByRole("checkbox", { name: "Changed only" }).uncheck();
  await expect(marked).toHaveCount(0);
  await expect(page.getByRole("list", { name: "Changed settings" })).toBeHidden();
});

test("the settings stand side by side", async ({ lab, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await lab.open("?tab=settings");
  const lefts = await page
    .locator(".settings-group")
    .evaluateAll((all) => all.map((group) => group.getBoundingClientRect().x));
  expect(new Set(lefts).size).toBe(3);
});
