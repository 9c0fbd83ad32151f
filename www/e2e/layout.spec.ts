/** The wide page: from the first visit to the verdict without scrolling, and the bench with its addresses. */
import { expect, test, type LabPage } from "./lab";

const scrolled = (lab: LabPage) => lab.page.evaluate(() => scrollY);
const search = (lab: LabPage) => new URL(lab.page.url()).search;

for (const { preset, verdict } of [
  { preset: "Example 1", verdict: /^Memorised/ },
  { preset: "Example 3", verdict: /^Not memorised/ },
]) {
  test(`at 1440 x 900 ${preset} goes from the first visit to its verdict without scrolling`, async ({ lab, page }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await lab.open("");
    await lab.choose(preset);
    await lab.button("Train").click();
    await expect(lab.result.locator(".headline")).toHaveText(verdict, { timeout: 150_000 });
    const parts = [lab.chart, lab.images, lab.result, lab.button("Train"), page.getByRole("tablist")];
    for (const part of parts) await expect(part).toBeInViewport({ ratio: 1 });
    expect(await scrolled(lab)).toBe(0);
    await expect(page.getByRole("tabpanel")).toHaveCount(0);
    expect((await page.locator(".bar").boundingBox())?.height).toBeLessThanOrEqual(104);
  });
}

for (const { width, height } of [
  { width: 1024, height: 768 },
  { width: 1280, height: 720 },
  { width: 1440, height: 900 },
]) {
  test(`at ${width} x ${height} the verdict, the images and the tabs are in sight`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height });
    await lab.open("");
    await lab.trainFor(30);
    for (const part of [lab.chart, lab.images, lab.result.locator(".headline"), page.getByRole("tablist")])
      await expect(part).toBeInViewport({ ratio: 0.9 });
    expect(await scrolled(lab)).toBe(0);
    const controls = await page.getByRole("region", { name: "Controls" }).boundingBox();
    expect((controls?.y ?? 0) + (controls?.height ?? 0)).toBeLessThanOrEqual(height);
    await lab.tab("All settings").click();
    await expect(lab.field("Image height")).toBeInViewport();
    // What one changes and what comes of it stay in sight.
    for (const part of [lab.button("Train"), page.locator("#score"), lab.slider("Learning rate")])
      await expect(part).toBeInViewport();
  });
}

test("the bench is shut, opens one tab at a time, and shuts again", async ({ lab, page }) => {
  await lab.open("");
  const panels = page.getByRole("tabpanel");
  await expect(panels).toHaveCount(0);
  for (const name of ["Runs", "All settings", "Code"]) {
    await lab.tab(name).click();
    await expect(panels).toHaveCount(1);
    await expect(panels).toHaveAccessibleName(new RegExp(`^${name}`));
    await expect(lab.tab(name)).toBeInViewport();
  }
  await lab.tab("Code").click();
  await expect(panels).toHaveCount(0);
});

test("arrow keys move between the tabs, and Enter opens one", async ({ lab, page }) => {
  await lab.open("");
  await lab.tab("Runs").focus();
  for (const [key, name] of [
    ["ArrowRight", "All settings"],
    ["End", "Code"],
    ["ArrowRight", "Runs"],
    ["ArrowLeft", "Code"],
    ["Home", "Runs"],
  ] as const) {
    await page.keyboard.press(key);
    await expect(lab.tab(name)).toBeFocused();
  }
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tabpanel")).toHaveAccessibleName(/^All settings/);
  await page.keyboard.press("Tab");
  await expect(page.locator("#panel-settings :focus")).toHaveCount(1);
});

test("each tab has an address, with back, forward and reload, and keeps other parameters", async ({ lab, page }) => {
  await lab.open("?backend=flex");
  await lab.tab("All settings").click();
  expect(search(lab)).toBe("?backend=flex&tab=settings");
  await lab.tab("Code").click();
  expect(search(lab)).toBe("?backend=flex&tab=code");
  await page.goBack();
  await expect(lab.field("Image height")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("tabpanel")).toHaveCount(0);
  expect(search(lab)).toBe("?backend=flex");
  await page.goForward();
  await page.goForward();
  await expect(page.getByRole("region", { name: "Keras script" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("region", { name: "Keras script" })).toBeVisible();
  await lab.open("?tab=nothing");
  await expect(page.getByRole("tabpanel")).toHaveCount(0);
});

test("the table of runs opens by itself with the second run, but not against a person's choice", async ({ lab }) => {
  await lab.open("");
  await lab.trainFor(2);
  await expect(lab.runs).toHaveCount(0);
  await lab.trainFor(3);
  await expect(lab.runs).toHaveCount(2);
  expect(search(lab)).toBe("?tab=runs");

  await lab.open("");
  await lab.tab("Code").click();
  await lab.tab("Code").click();
  for (const epochs of [2, 3]) await lab.trainFor(epochs);
  await expect(lab.runs).toHaveCount(0);
});

test("at 200 % zoom nothing is blocked", async ({ lab, page }) => {
  await page.setViewportSize({ width: 720, height: 450 });
  await lab.open();
  await lab.trainFor(3);
  for (const name of ["Show as table", "History of image 20", "Restore run 1: Example 1"])
    await lab.button(name).click();
  await lab.openTab("All settings");
  await lab.field("Image height").fill("32");
  await expect(lab.field("Image height")).toBeInViewport({ ratio: 1 });
});

test("the bar names what Train would begin, where that is not the run on stage", async ({ lab, page }) => {
  const outcome = page.getByRole("region", { name: "Outcome so far" });
  await lab.open();
  await lab.field("Seed").fill("5");
  await lab.trainFor(3);
  await expect(outcome.getByRole("heading")).toHaveText("Run 1: Example 1");
  const changed = page.getByRole("list", { name: "Changed settings" });
  await expect(changed).toContainText("seed 5");
  await lab.field("Learning rate value").fill("0.02");
  await expect(outcome.getByRole("heading")).toHaveText("Run 1: Example 1, epochs 3, seed 5");
  await expect(outcome).toContainText("Next run:");
  await expect(changed).toContainText("learning rate 0.02");
});

test("About opens over the page, and Escape or a press elsewhere closes it", async ({ lab, page }) => {
  await lab.open("");
  const text = page.getByText("Nothing leaves this page.");
  const about = page.getByText("About", { exact: true });
  const top = async () => (await lab.chart.boundingBox())?.y;
  const before = await top();
  await about.click();
  await expect(text).toBeInViewport();
  expect(await top()).toBe(before);
  await page.keyboard.press("Escape");
  await expect(text).toBeHidden();
  await about.click();
  await lab.chart.click();
  await expect(text).toBeHidden();
});

test("a button of the bar that gets the focus scrolls nothing", async ({ lab, page }) => {
  await lab.open("?tab=settings");
  await lab.field("Image height").focus();
  await page.evaluate(() => scrollTo({ top: 900, behavior: "instant" }));
  const from = await scrolled(lab);
  for (const name of ["Train", "Step"]) await lab.button(name).focus();
  expect(await scrolled(lab)).toBe(from);
});

for (const { width, height } of [
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
]) {
  test(`the view for projectors has the stage alone, in large type, at ${width} x ${height}`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height });
    await page.goto(new URL("?view=stage", process.env["PAGE_URL"]).href);
    await expect(lab.button("Train")).toBeEnabled();
    for (const hidden of [".controls", ".bench"]) await expect(page.locator(hidden)).toBeHidden();
    await expect(page.locator("body")).toHaveCSS("font-size", "20px");
    await lab.button("Train").click();
    await lab.button("Finish now").click({ timeout: 120_000 });
    await expect(lab.result.locator(".headline")).toBeInViewport({ ratio: 0.9 });
    await expect(lab.chart).toBeInViewport({ ratio: 0.9 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBeLessThanOrEqual(0);
  });
}
