/** Runs on one chart. */
import { expect, test, type LabPage } from "./lab";

const swatches = (lab: LabPage) =>
  lab.page.locator('#runs-rows tr:not([aria-current="true"]) .swatch:not([data-slot="null"]) path');
/** The number of pixels of the chart with a colour of the page. */
const pixels = (lab: LabPage, token: string) =>
  lab.page.locator("#plot canvas").evaluate((element, token) => {
    const probe = new OffscreenCanvas(1, 1).getContext("2d");
    if (probe === null) return 0;
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(token);
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
    const { width, height } = element as HTMLCanvasElement;
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy?.drawImage(element as HTMLCanvasElement, 0, 0);
    const data = copy?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      count += Number(data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255);
    return count;
  }, token);

/** Trains to the end of run number `run`; `trainFor` would see the result of the one before. */
async function train(lab: LabPage, run: number) {
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(run);
  await expect.poll(() => lab.page.evaluate(() => window.__overfitLab.idle())).toBe(true);
}

test("a new run of the same preset is compared with the old one by itself, and all values are at the crosshair", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.trainFor(12);
  for (const [at, rate] of ["0.01", "0.0001"].entries()) {
    await lab.field("Learning rate value").fill(rate);
    await train(lab, at + 2);
  }
  await expect(lab.checkbox("Compare run 1")).toBeChecked();
  await expect(lab.checkbox("Compare run 2")).toBeChecked();
  await expect(lab.checkbox("Compare run 3")).not.toBeChecked();
  const reader = lab.slider("Epoch to read on the chart");
  await reader.press("Home");
  await reader.press("ArrowRight");
  const list = page.locator("#crosshair p");
  await expect(list).toHaveCount(3);
  for (const [at, name] of ["0.0001", "0.001", "0.01"].entries())
    await expect(list.nth(at)).toHaveText(new RegExp(`^${name} loss \\d\\S+, accuracy \\d+ %$`));
  await expect(reader).toHaveAttribute("aria-valuetext", /^epoch 2, .*; 0\.001: loss .*; 0\.01: loss /);
  await expect(page.locator("#crosshair")).toBeInViewport({ ratio: 1 });
  await lab.button("Train").focus();
  await expect(page.locator("#crosshair")).toBeHidden();
  // Another preset's run is not compared by itself.
  await lab.choose("Example 3");
  await lab.trainFor(3);
  await expect(lab.checkbox("Compare run 3")).not.toBeChecked();
});

test("six runs have a colour and a dash each, and the same swatch in the table", async ({ lab }) => {
  await lab.open();
  for (let seed = 1; seed <= 7; seed++) {
    await lab.field("Epochs").fill("2");
    await lab.field("Seed").fill(String(seed));
    await train(lab, seed);
  }
  // Five with the run on stage; the first gave way.
  for (let run = 1; run <= 7; run++) await lab.checkbox(`Compare run ${run}`).setChecked(run > 1 && run < 7);
  await expect(swatches(lab)).toHaveCount(5);
  const looks = await swatches(lab).evaluateAll((all) =>
    all.map((path) => {
      const { stroke, strokeDasharray } = getComputedStyle(path);
      return { stroke, strokeDasharray };
    }),
  );
  expect(new Set(looks.map(({ stroke }) => stroke)).size).toBe(5);
  expect(new Set(looks.map(({ strokeDasharray }) => strokeDasharray)).size).toBe(5);
  for (let slot = 1; slot <= 5; slot++) expect(await pixels(lab, `--run-${slot}`)).toBeGreaterThan(20);
  await lab.checkbox("Compare run 1").check();
  await expect(swatches(lab)).toHaveCount(5);
  await expect(lab.checkbox("Compare run 2")).not.toBeChecked();
});

test("pointing at a row lifts its line", async ({ lab, page }) => {
  await lab.open();
  await lab.trainFor(12);
  await lab.field("Learning rate value").fill("0.01");
  await train(lab, 2);
  await expect.poll(() => pixels(lab, "--run-1")).toBeGreaterThan(20);
  const before = await pixels(lab, "--run-1");
  await lab.runs.last().hover();
  await expect.poll(() => pixels(lab, "--run-1")).toBeGreaterThan(before * 1.3);
  await page.mouse.move(0, 0);
  await expect.poll(() => pixels(lab, "--run-1")).toBe(before);
  await lab.checkbox("Compare run 1").focus();
  await expect.poll(() => pixels(lab, "--run-1")).toBeGreaterThan(before * 1.3);
});
