import { expect, test, type LabPage } from "./lab";

const fitsSideways = (lab: LabPage) =>
  lab.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

for (const width of [360, 390, 768, 1000]) {
  test(`${width} px wide, nothing scrolls sideways and Train is in reach`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height: 740 });
    await lab.open();
    await lab.setSheetOpen(true);
    await lab.choose("Labels shifted");
    await lab.setSheetOpen(false);
    await expect(lab.mistake).toBeVisible();
    await lab.button("Show as table").click();
    for (const name of ["All settings", "Code", "Runs"]) {
      await lab.openTab(name);
      expect(await fitsSideways(lab)).toBe(true);
    }
    await lab.field("Learning rate value").fill("a rate that is no number and has a long text");
    await expect(lab.alert).toBeVisible();
    expect(await fitsSideways(lab)).toBe(true);
    await lab.field("Learning rate value").fill("0.001");
    await lab.trainFor(12);
    await lab.button("History of image 20").click();
    await lab.checkbox("Compare run 1").check();
    expect(await fitsSideways(lab)).toBe(true);
    if (width < 1024) await expect(lab.button("Train")).toBeInViewport({ ratio: 1 });
  });
}

for (const width of [360, 390]) {
  test(`${width} px wide, the rate stands under the chart, then why, the images and the bench`, async ({
    lab,
    page,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    await lab.open("");
    const order = [".outcome", "#history", "#learning-rate", ".why", ".images", "#tab-runs", "#tab-code"];
    const tops = await Promise.all(order.map(async (part) => (await page.locator(part).boundingBox())?.y));
    expect(tops).toEqual([...tops].sort((a, b) => (a ?? 0) - (b ?? 0)));
    await expect(lab.slider("Learning rate")).toBeInViewport({ ratio: 1 });
    // In an accordion each panel stands under its own title.
    await lab.openTab("Runs");
    const top = async (part: string) => (await page.locator(part).boundingBox())?.y ?? NaN;
    expect(await top("#panel-runs")).toBeGreaterThan(await top("#tab-runs"));
    expect(await top("#panel-runs")).toBeLessThan(await top("#tab-settings"));
  });

  test(`${width} px wide, the name and the outcome stay in sight, and Train brings the chart`, async ({
    lab,
    page,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    await lab.open();
    await lab.tab("Code").click();
    await page.mouse.wheel(0, 2000);
    await expect(page.locator("#history")).not.toBeInViewport();
    await expect(page.locator("#stage-name")).toBeInViewport({ ratio: 1 });
    await lab.button("Train").click();
    await expect(page.locator("#plot")).toBeInViewport({ ratio: 1 });
    await lab.reaches(1);
  });

  test(`${width} px wide, the controls are a sheet that leaves the chart in sight`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height: 844 });
    await lab.open("");
    await expect(lab.field("Epochs")).toBeHidden();
    await lab.button("Settings").click();
    await expect(lab.field("Epochs")).toBeVisible();
    const sheet = await page.getByRole("region", { name: "Controls" }).boundingBox();
    expect(sheet?.height).toBeLessThanOrEqual(422);
    await expect(page.locator("#plot")).toBeInViewport({ ratio: 0.5 });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    await expect(lab.field("Epochs")).toBeHidden();
    await expect(lab.button("Settings")).toBeFocused();
    // A refused Train opens the sheet where the problem is.
    await lab.button("Settings").click();
    await lab.field("Epochs").fill("0");
    await lab.button("Settings").click();
    await lab.button("Train").click();
    await expect(lab.field("Epochs")).toBeFocused();
    await expect(lab.field("Epochs")).toBeInViewport();
  });
}

test("the page works from a folder of a host", async ({ lab }) => {
  await lab.open("some/folder/");
  await lab.trainFor(2);
});
