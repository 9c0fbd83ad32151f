/** The form: differences from a preset, warnings, and numbers that are typed another way. */
import { expect, test } from "./lab";

test("differences from the preset are shown on it, and can be undone one by one or all at once", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.choose("Example 3");
  const changed = page.getByRole("list", { name: "Changed settings" });
  await expect(changed).toBeHidden();
  // The form shows the preset.
  await expect(lab.checkbox("Dense bias")).not.toBeChecked();
  await lab.field("Learning rate value").fill("0.5");
  await lab.checkbox("Dense bias").check();
  await lab.optimizer().selectOption("Adam");
  await lab.field("Seed").fill("42");
  await expect(changed.getByRole("listitem")).toHaveCount(4);
  await expect(changed).toContainText("learning rate 0.5");
  for (const undo of ["learning rate 0.5", "dense bias on", "optimizer Adam"]) {
    await lab.button(`Undo ${undo}`).click();
    await expect(changed).not.toContainText(undo);
  }
  await expect(lab.field("Learning rate value")).toHaveValue("1");
  await expect(lab.checkbox("Dense bias")).not.toBeChecked();
  await expect(lab.optimizer()).toHaveValue("sgd");
  await expect(lab.field("Seed")).toHaveValue("42");
  await lab.button("Reset").click();
  await expect(lab.field("Seed")).toHaveValue("1");
  await expect(changed).toBeHidden();
});

test("no slider moves while it is dragged over a rate with a warning", async ({ lab, page }) => {
  await lab.open();
  const slider = lab.slider("Learning rate");
  const y = async () => (await slider.boundingBox())?.y;
  const before = await y();
  const changed = page.getByRole("list", { name: "Changed settings" });
  for (const rate of ["0.002", "0.5", "0.9", "2", "0.001"]) {
    await lab.field("Learning rate value").fill(rate);
    await expect(slider).toHaveAttribute("aria-valuetext", rate);
    if (rate === "0.001") await expect(changed).toBeHidden();
    else await expect(changed).toContainText(`learning rate ${rate}`);
    expect(await y()).toBe(before);
  }
});

test("warnings are counted next to Train, and the count links to them", async ({ lab, page }) => {
  await lab.open();
  await lab.choose("Dropout 0.5 left on");
  const count = lab.button(/^\d+ warnings?$/);
  await expect(count).toBeVisible();
  const top = async () => (await lab.chart.boundingBox())?.y;
  const before = await top();
  await count.click();
  const warnings = page.getByRole("status", { name: "Warnings" });
  await expect(warnings).toBeInViewport();
  expect(await top()).toBe(before);
  await page.keyboard.press("Escape");
  await expect(warnings).toBeHidden();
  await expect(count).toBeFocused();
  // The way to what it is about, also in a tab that is not open.
  await lab.openTab("Code");
  await count.click();
  await lab.button("Go to the field").first().click();
  await expect(lab.page.getByRole("textbox", { name: "Layers", exact: true })).toBeFocused();
});

test("a warning hangs on its field, floats over the page and moves nothing", async ({ lab, page }) => {
  await lab.open();
  const sign = page.locator(".fields").getByRole("button", { name: /^Warning: The learning rate is/ });
  await expect(sign).toBeHidden();
  const tops = () =>
    page.locator(".fields input, .fields select").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
  const before = await tops();
  await lab.field("Learning rate value").fill("2");
  await expect(sign).toBeVisible();
  expect(await tops()).toEqual(before);
  await sign.hover();
  await expect(page.locator("#tip")).toBeInViewport({ ratio: 1 });
  await expect(page.locator("#tip")).toContainText("times Adam's default");
  await page.mouse.move(0, 0);
  await expect(page.locator("#tip")).toBeHidden();
  await sign.focus();
  await expect(page.locator("#tip")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator("#tip")).toBeHidden();
  // In the settings and on the layer list too.
  await lab.choose("Softmax twice");
  await lab.openTab("All settings");
  await expect(page.locator("#settings").getByRole("button", { name: /^Warning: Softmax is applied/ })).toBeVisible();
});

test("a refused Train is said beside Train, with the way to the field, and the page does not jump", async ({
  lab,
  page,
}) => {
  await lab.open("?tab=settings");
  await lab.field("Images").fill("big");
  await lab.openTab("Code");
  await expect(page.getByRole("region", { name: "Keras script" })).toBeInViewport();
  const from = await page.evaluate(() => scrollY);
  await lab.button("Train").click();
  const refusal = page.locator("#refused");
  await expect(refusal).toHaveText(/^Not started\. Images: big is not allowed/);
  await expect(refusal).toBeInViewport({ ratio: 1 });
  await expect(lab.button("Train")).toHaveAccessibleDescription(/Not started/);
  expect(await page.evaluate(() => scrollY)).toBe(from);
  await lab.button("Go to the field").click();
  await expect(lab.field("Images")).toBeFocused();
  await lab.field("Images").fill("12");
  await expect(refusal).toBeEmpty();
  await expect(lab.button("Go to the field")).toBeHidden();
});

test("a number with a comma is refused, and the intended number is offered", async ({ lab }) => {
  await lab.open();
  for (const [typed, meant] of [
    ["0,01", "0.01"],
    ["0,5", "0.5"],
  ] as const) {
    await lab.field("Learning rate value").fill(typed);
    await expect(lab.alert).toContainText(`Did you mean ${meant}?`);
    await expect(lab.field("Learning rate value")).toHaveValue(typed);
    await lab.button(`Use ${meant}`).click();
    await expect(lab.field("Learning rate value")).toHaveValue(meant);
    await expect(lab.field("Learning rate value")).toBeFocused();
    await expect(lab.alert).toHaveCount(0);
  }
  await lab.field("Epochs").fill("1,000");
  await lab.button("Use 1000").click();
  await expect(lab.field("Epochs")).toHaveValue("1000");
});

test("problems in the form are not shown on stage", async ({ lab, page }) => {
  await lab.open();
  await lab.field("Epochs").fill("0");
  await expect(lab.alert).toBeVisible();
  await expect(page.getByRole("region", { name: "Outcome so far" })).toContainText("of 500 epochs");
});

test("a number's range is shown before anything is typed", async ({ lab, page }) => {
  await lab.open();
  await lab.openTab("All settings");
  const row = page.locator(".field", { has: lab.field("Images") });
  await expect(row).toContainText("1 to 2000");
});

test("the page explains itself, and names the article", async ({ lab, page }) => {
  const article = "Why is a TensorFlow CNN unable to overfit on a dataset of only 20 images?";
  await lab.open();
  await expect(lab.result.getByText(article)).toBeVisible();
  await page.getByText("About", { exact: true }).click();
  await expect(page.locator(".about")).toContainText(article);
  const licences = await page.request.get(new URL("licences.txt", page.url()).href);
  expect(await licences.text()).toContain("uplot");
  await page.keyboard.press("Escape");
  await lab.trainFor(1);
  await expect(lab.result.getByText(article)).toBeHidden();
});

test("a full batch stays full with fewer or more images, and a refused number moves no slider", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  for (const images of ["2", "12", "20"]) {
    await lab.field("Images").fill(images);
    await expect(lab.slider("Batch size")).toHaveValue(images);
    await expect(lab.slider("Batch size")).toHaveAttribute("max", images);
    await expect(lab.alert).toHaveCount(0);
    await expect(lab.images.getByRole("listitem")).toHaveCount(Number(images));
  }
  await lab.field("Images").fill("100000");
  await expect(lab.alert).toContainText(/^Images/);
  await expect(lab.slider("Batch size")).toHaveAttribute("max", "20");
});
