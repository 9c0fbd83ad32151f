import { expect, test } from "./lab";

test("pause, step, resume and stop", async ({ lab }) => {
  await lab.open();
  await lab.endlessly();
  await expect(lab.button("Pause")).toBeDisabled();
  await expect(lab.button("Stop")).toBeDisabled();
  await lab.button("Train").click();
  await lab.reaches(2);
  await lab.button("Pause").click();
  await expect(lab.button("Resume")).toBeVisible();
  const paused = await lab.epoch();

  await lab.button("Step").click();
  await lab.reaches(paused + 1);
  await lab.button("Step").click();
  await lab.reaches(paused + 2);
  await lab.page.waitForTimeout(500);
  expect(await lab.epoch()).toBe(paused + 2);

  await lab.button("Resume").click();
  await lab.reaches(paused + 5);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
  const stopped = await lab.epoch();
  await expect(lab.result).toContainText(`after ${stopped} epochs`);
  await expect(lab.runs).toContainText("stopped");
  await expect(lab.button("Stop")).toBeDisabled();
});

test("step starts a run of one epoch, and resume goes on with it", async ({ lab }) => {
  await lab.open();
  await lab.button("Step").click();
  await lab.reaches(1);
  await expect(lab.button("Resume")).toBeVisible();
  expect(await lab.epoch()).toBe(1);
  await lab.button("Resume").click();
  await lab.reaches(4);
  await expect(lab.runs).toHaveCount(1);
});

test("a control changed during a run starts nothing, and Train starts a new run with it", async ({ lab }) => {
  await lab.open();
  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  await expect(lab.button("Train")).toHaveAccessibleDescription("");
  await lab.slider("Batch size").fill("10");
  await expect(lab.button("Train")).toHaveAccessibleDescription(/Train starts a new run/);
  await lab.reaches(5);
  await expect(lab.runs).toHaveCount(1);
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(2);
  await expect(lab.runs.last()).toContainText("stopped");
  await expect(lab.runs.first()).toContainText("batch size 10");
  await lab.reaches(1);
  await lab.button("Stop").click();
});

test("the learning rate can be dragged during training, and the chart marks the epochs", async ({ lab }) => {
  await lab.open();
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  await lab.reaches(2);
  const slider = await lab.slider("Learning rate").boundingBox();
  if (slider === null) throw new Error("The slider has no place on the page");
  const y = slider.y + slider.height / 2;
  await lab.page.mouse.move(slider.x + slider.width * 0.34, y);
  await lab.page.mouse.down();
  await lab.page.mouse.move(slider.x + slider.width * 0.25, y, { steps: 4 });
  await lab.page.mouse.up();
  await expect(lab.field("Learning rate value")).not.toHaveValue("0.001");
  // The page may still be handling the pointer's last moves: the rate that it shows in the end is the one it trains with.
  await expect
    .poll(async () => {
      const shown = Number(await lab.field("Learning rate value").inputValue());
      const used = await lab.page.evaluate(() => window.__overfitLab.metrics()?.learning_rate);
      return Math.abs((used ?? Infinity) - shown);
    })
    .toBeLessThan(1e-8);
  await expect(lab.chart.getByRole("button", { name: /learning rate/i })).not.toHaveCount(0);
  await expect(lab.button("Train")).toHaveAccessibleDescription("");
  await expect(lab.runs).toHaveCount(1);
  await lab.button("Stop").click();
});

test("a run that has memorised offers to finish early", async ({ lab }) => {
  await lab.open();
  await lab.button("Train").click();
  await lab.button("Finish now").click({ timeout: 120_000 });
  await expect(lab.result).toContainText("Training accuracy after");
  await expect(lab.button("Finish now")).toBeHidden();
  await expect(lab.chart.getByRole("button", { name: /all right/i })).not.toHaveCount(0);
});

test("earlier runs can be compared and restored", async ({ lab }) => {
  await lab.open();
  await lab.field("Seed").fill("5");
  await lab.trainFor(4);
  const losses = await lab.losses();
  await lab.choose("Example 3");
  await lab.trainFor(3);
  await lab.checkbox("Compare run 1").check();
  await lab.button("Restore run 1: Example 1").click();
  await expect(lab.experiment).toHaveValue("Example 1");
  await expect(lab.field("Seed")).toHaveValue("5");
  await expect(lab.result).toContainText("after 4 epochs");
  expect(await lab.losses()).toEqual(losses);
});

test("the chart can be read by pointer and by keyboard, and its axis switched", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(12);
  const readout = lab.page.locator("#readout");
  await lab.chart.locator(".u-over").hover();
  await expect(readout).toHaveText(/^epoch \d+, loss \d\S+, accuracy \d+ %$/);
  const reader = lab.slider("Epoch to read on the chart");
  await reader.focus();
  await reader.press("Home");
  await reader.press("ArrowRight");
  await expect(readout).toHaveText(/^epoch 2, /);
  await expect(reader).toHaveAttribute("aria-valuenow", "2");
  await lab.checkbox("Logarithmic epoch axis").uncheck();
  await reader.press("End");
  await expect(readout).toHaveText(/^epoch 12, /);
});

test("runs are sorted by a column, and by age again after a third press", async ({ lab, page }) => {
  await lab.open();
  for (const epochs of [3, 2, 4]) await lab.trainFor(epochs);
  const table = page.getByRole("table", { name: "Runs" });
  const compares = lab.runs.getByRole("checkbox");
  const order = async () =>
    Promise.all((await compares.all()).map(async (tick) => (await tick.getAttribute("aria-label"))?.slice(-1)));
  expect(await order()).toEqual(["3", "2", "1"]);
  const title = table.getByRole("button", { name: "Epochs" });
  await title.click();
  expect(await order()).toEqual(["2", "1", "3"]);
  await expect(table.getByRole("columnheader", { name: "Epochs" })).toHaveAttribute("aria-sort", "ascending");
  await title.press("Enter");
  expect(await order()).toEqual(["3", "1", "2"]);
  await expect(title).toBeFocused();
  await title.press("Enter");
  expect(await order()).toEqual(["3", "2", "1"]);
});

test("an image shows its history", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(5);
  await lab.button("History of image 3").click();
  const panel = lab.page.getByRole("region", { name: /^Image 3/ });
  await expect(panel).toContainText("at epoch 5");
  await expect(panel.locator("path")).toHaveAttribute("d", /^M0\.0 \S+L.*400\.0 /);
  await panel.getByRole("button", { name: "Close" }).click();
  await expect(panel).toBeHidden();
  await expect(lab.button("History of image 3")).toBeFocused();
});

test("a run goes on after its end, and equals a run of that length from the start", async ({ lab, page }) => {
  await lab.open();
  await lab.trainFor(5);
  await lab.button("100 more epochs").click();
  await expect(lab.result).toContainText("Training accuracy after 105 epochs");
  await expect(lab.field("Epochs")).toHaveValue("105");
  await expect(lab.runs).toHaveCount(1);
  await expect(lab.runs).toContainText("105 of 105");
  await expect(lab.runs.getByRole("cell").nth(2)).toHaveText("epochs 105");
  const losses = await lab.losses();
  expect(losses).toHaveLength(105);
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(2);
  await expect.poll(() => page.evaluate(() => window.__overfitLab.idle())).toBe(true);
  expect(await lab.losses()).toEqual(losses);
});

test("after Stop, Step trains the next epoch of the same run, and it goes on to its end", async ({ lab, page }) => {
  await lab.open();
  await lab.field("Epochs").fill("400");
  await lab.button("Train").click();
  await lab.reaches(2);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
  const stopped = await lab.epoch();
  await lab.button("Step").click();
  await lab.reaches(stopped + 1);
  await expect(lab.button("Resume")).toBeVisible();
  expect(await lab.epoch()).toBe(stopped + 1);
  await lab.button("Stop").click();
  await lab.button("Go on to epoch 400").click();
  await lab.reaches(stopped + 5);
  await expect(lab.runs).toHaveCount(1);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
  // A changed experiment is a run of its own.
  await lab.field("Seed").fill("2");
  await expect(page.locator("#go-on")).toBeHidden();
});

/** 512 filters of 11 x 11 on images of 64 x 64: a step takes minutes. */
const SLOW_STEP = JSON.stringify([
  { type: "conv2d", filters: 512, kernel: 11, activation: "relu" },
  { type: "conv2d", filters: 256, kernel: 11, activation: "relu" },
  { type: "global_max_pool" },
  { type: "dense", units: 2, activation: "softmax" },
]);

test("Stop in the middle of a long step ends the run, and the next one starts", async ({ lab }) => {
  await lab.open();
  await lab.openTab("All settings");
  const layers = lab.page.getByRole("textbox", { name: "Layers", exact: true });
  await layers.fill(SLOW_STEP);
  await layers.press("ControlOrMeta+Enter");
  await expect(lab.page.locator("#progress-text")).toContainText(
    /An epoch takes about \d+ (s|min|h) on a usual computer/,
  );
  await lab.openTab("Runs");
  await lab.button("Train").click();
  await expect(lab.page.locator("#progress-text")).toHaveText("Starting…");
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("stopped in the middle of a long step");
  await expect(lab.runs.first()).toContainText("stopped");
  await expect(lab.button("Stop")).toBeDisabled();
  // Train while another such run is active: the new run does not wait for the step's end.
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(2);
  await lab.choose("Example 3");
  await lab.trainFor(3);
  await expect(lab.runs).toHaveCount(3);
});

test("Stop within an epoch of many steps measures the current network", async ({ lab }) => {
  await lab.open();
  // An epoch of some seconds with steps of some milliseconds.
  await lab.choose("Example 2");
  await lab.slider("Batch size").fill("1");
  await lab.openTab("All settings");
  await lab.field("Images").fill("2000");
  await lab.button("Train").click();
  await expect(lab.page.locator("#progress-text")).toHaveText("Starting…");
  // The images are drawn before the first step, and meanwhile the worker receives no messages.
  await lab.page.waitForTimeout(1500);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Stopped before the end of the first epoch.");
  await expect(lab.result).toContainText("Training accuracy after 0 epochs:");
});
