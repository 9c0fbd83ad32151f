import { expect, test, type LabPage } from "./lab";

const fitsSideways = (lab: LabPage) =>
  lab.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

for (const width of [360, 390, 768, 1000]) {
  test(`${width} px wide, nothing scrolls sideways and Train is in reach`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height: 740 });
    await lab.open();
    await lab.button(/^Mistakes/).click();
    await lab.preset("Labels shifted").check();
    await expect(lab.mistake).toBeVisible();
    for (const folded of await page.locator("details > summary").all()) await folded.click();
    await lab.button("Show as table").click();
    expect(await fitsSideways(lab)).toBe(true);
    await lab.field("Learning rate value").fill("a rate that is no number and has a long text");
    await expect(lab.alert).toBeVisible();
    expect(await fitsSideways(lab)).toBe(true);
    await lab.field("Learning rate value").fill("0.001");
    await lab.trainFor(12);
    await lab.button("History of image 20").click();
    await lab.checkbox("Compare run 1").check();
    expect(await fitsSideways(lab)).toBe(true);
    if (width < 960) await expect(lab.button("Train")).toBeInViewport({ ratio: 1 });
  });
}

test("on a narrow page the outcome comes first and the controls last", async ({ lab, page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await lab.open();
  const order = ["Outcome so far", "Training history", "Training images", "Result", "Runs", "Controls"];
  const tops = await Promise.all(
    order.map(
      async (name) =>
        (await page.locator(`main > :is([aria-label="${name}"], :has(> h2:text-is("${name}")))`).boundingBox())?.y,
    ),
  );
  expect(tops).toEqual([...tops].sort((a, b) => (a ?? 0) - (b ?? 0)));
});

test("the page works from a folder of a host", async ({ lab }) => {
  await lab.open("some/folder/");
  await lab.trainFor(2);
});
