/** Everything on the page is about the one run on stage. */
import { expect, test, type LabPage } from "./lab";

const outcome = (lab: LabPage) => lab.page.getByRole("region", { name: "Outcome so far" });
const progress = (lab: LabPage) => lab.page.getByRole("progressbar", { name: "Progress of the run" });
const idle = (lab: LabPage) => expect.poll(() => lab.page.evaluate(() => window.__overfitLab.idle())).toBe(true);

test("a preset chosen after a run is on stage by its name, without the run's results", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(12);
  await expect(outcome(lab)).toContainText("Run 1: Example 1");
  await lab.choose("Example 3");
  await expect(outcome(lab).getByRole("heading")).toHaveText("Example 3");
  await expect(outcome(lab)).toContainText("not trained yet");
  await expect(progress(lab)).toHaveJSProperty("value", 0);
  await expect(lab.page.locator("#progress-text")).toHaveText(/^Ready; takes about \d+ MB of memory$/);
  await expect(lab.result).not.toContainText("Training accuracy");
});

test("an older run on stage brings its own progress, images and verdict, and says which run is training", async ({
  lab,
}) => {
  await lab.open();
  await lab.trainFor(4);
  await lab.choose("Example 2");
  await lab.field("Seed").fill("7");
  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  const names = await lab.imageNames();
  await lab.button("Restore run 1: Example 1").click();
  await expect(outcome(lab)).toContainText("Run 1: Example 1");
  await expect(lab.page.locator("#progress-text")).toHaveText("100 %, done");
  await expect(outcome(lab)).toContainText("of 4 epochs");
  await expect(lab.result).toContainText("after 4 epochs");
  await expect.poll(() => lab.imageNames()).not.toEqual(names);
  await expect(lab.page.locator("#other-run")).toContainText(/Run 2, Example 2, is training: \d+ %/);

  await lab.button("Show run 2").click();
  await expect(outcome(lab)).toContainText("Run 2: Example 2");
  await expect(lab.page.locator("#other-run")).toBeHidden();
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
});

test("the rate in the form drives no run that the form does not show", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(3);
  await lab.choose("Example 2");
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  await lab.reaches(2);

  await lab.button("Restore run 1: Example 1").click();
  await expect(lab.field("Epochs")).toHaveValue("3");
  await lab.field("Learning rate value").fill("0.03");
  await lab.button("Show run 2").click();
  const before = await lab.epoch();
  await lab.reaches(before + 2);
  expect(await lab.page.evaluate(() => window.__overfitLab.metrics()?.learning_rate)).toBeCloseTo(0.001, 9);

  await lab.choose("Example 3");
  await lab.field("Learning rate value").fill("0.04");
  await lab.reaches((await lab.epoch()) + 2);
  expect(await lab.page.evaluate(() => window.__overfitLab.metrics()?.learning_rate)).toBeCloseTo(0.001, 9);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
});

test("a result whose settings have changed says so, and its curves are grey", async ({ lab, page }) => {
  await lab.open();
  await lab.trainFor(12);
  const curves = () => page.locator("#plot canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const coloured = await curves();
  await expect(lab.button("Train")).toHaveAccessibleDescription("");
  await lab.field("Learning rate value").fill("0.005");
  await expect(lab.button("Train")).toHaveAccessibleDescription(
    "This was run 1, with learning rate 0.001. The settings changed. Train starts a new run with them.",
  );
  await expect.poll(curves).not.toBe(coloured);
  await lab.field("Learning rate value").fill("0.001");
  await expect(lab.button("Train")).toHaveAccessibleDescription("");
  await expect.poll(curves).toBe(coloured);
});

test("images that were not trained on are not called right", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(40);
  await expect(outcome(lab)).toContainText("20 of 20");
  const seeds = new Set<string>();
  for (let presses = 0; presses < 3; presses++) {
    const before = await lab.field("Seed").inputValue();
    await lab.button("New seed").click();
    await expect(lab.field("Seed")).not.toHaveValue(before);
    seeds.add(await lab.field("Seed").inputValue());
  }
  await expect(outcome(lab)).toContainText("20 images");
  await expect(outcome(lab)).toContainText("not trained yet");
  for (const name of await lab.imageNames()) expect(name).toMatch(/not trained yet$/);
  await expect(lab.result).not.toContainText("Memorised");
  // The run's curves stay, to compare with.
  await expect(lab.checkbox("Compare run 1")).toBeChecked();
});

test("a rate that was set by hand is shown at its marks, in the table, and with the code", async ({ lab, page }) => {
  await lab.open();
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  const used: number[] = [];
  for (const rate of [0.002, 0.005, 0.01]) {
    await lab.reaches((await lab.epoch()) + 20);
    await lab.field("Learning rate value").fill(String(rate));
    await expect.poll(() => page.evaluate(() => window.__overfitLab.metrics()?.learning_rate)).toBeCloseTo(rate, 9);
    used.push(rate);
  }
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");

  const changed = lab.runs.getByRole("cell").nth(2);
  await expect(changed).toHaveText(
    /learning rate by hand: 0\.001, 0\.002 from epoch \d+, 0\.005 from epoch \d+, 0\.01 from epoch \d+/,
  );
  const epochs = [...((await changed.textContent()) ?? "").matchAll(/from epoch (\d+)/g)].map(([, epoch]) => epoch);
  const marks = lab.chart.getByRole("button", { name: /rate 0\./ });
  const told = (await marks.evaluateAll((all) => all.map((mark) => mark.getAttribute("aria-label")))).join(" ");
  used.forEach((rate, at) => expect(told).toContain(`Epoch ${epochs[at]}: rate ${rate}.`));
  await expect(page.getByRole("img", { name: /^Learning rate: 0\.001, 0\.002 from epoch/ })).toBeVisible();

  await lab.openTab("Code");
  await expect(page.locator("#script-by-hand")).toContainText(/run 1 was changed by hand \(0\.001, 0\.002 from epoch/);
  await lab.choose("Example 2");
  await expect(page.locator("#script-by-hand")).toBeEmpty();
});

test("many changes of the rate are shown as a count and a range", async ({ lab }) => {
  await lab.open();
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  for (const rate of [0.002, 0.005, 0.01, 0.02, 0.05]) {
    await lab.reaches((await lab.epoch()) + 3);
    await lab.field("Learning rate value").fill(String(rate));
    await expect.poll(() => lab.page.evaluate(() => window.__overfitLab.metrics()?.learning_rate)).toBeCloseTo(rate, 9);
  }
  await lab.button("Stop").click();
  await idle(lab);
  await expect(lab.runs.getByRole("cell").nth(2)).toContainText("by hand: 5 changes, between 0.001 and 0.05");
});

test("no verdict contradicts the ticks of the images", async ({ lab }) => {
  await lab.open();
  await lab.choose("Augmentation left on");
  await lab.button("Train").click();
  await expect(lab.result).toContainText("Training accuracy after", { timeout: 150_000 });
  const right = (await lab.imageNames()).filter((name) => name.endsWith("right")).length;
  expect(right).toBe(20);
  await expect(lab.result.locator(".headline .mark[data-right=false]")).toHaveCount(0);
  await expect(lab.runs.locator(".badge .mark[data-right=false]")).toHaveCount(0);
});

test("Train again with the same settings leaves one row, not one per press", async ({ lab }) => {
  await lab.open();
  await lab.endlessly();
  for (let presses = 0; presses < 12; presses++) await lab.button("Train").click();
  await lab.reaches(3);
  await lab.button("Stop").click();
  await idle(lab);
  await expect(lab.runs).toHaveCount(1);
  await lab.button(/^Delete run/).click();
  await expect(lab.page.getByRole("table", { name: "Runs" })).toBeHidden();
  await expect(outcome(lab)).toContainText("not trained yet");
});

test("the end value is marked apart from the curve", async ({ lab, page }) => {
  await lab.open();
  await lab.openTab("All settings");
  await lab.field("Image height").fill("8");
  await lab.field("Image width").fill("8");
  await lab.field("Images").fill("200");
  await lab.slider("Batch size").fill("20");
  await lab.trainFor(2);
  await expect(page.getByText("the result was measured after the last epoch")).toBeVisible();
  const reader = lab.slider("Epoch to read on the chart");
  await reader.press("End");
  await expect(page.locator("#readout")).toHaveText(/^epoch 2, .*measured at the end: loss \d\S+/);
});
