import { expect, test } from "./lab";

test("a loss of NaN is reported, with its epoch and the learning rate", async ({ lab }) => {
  await lab.open();
  await lab.choose("Example 2");
  await lab.optimizer().selectOption("SGD");
  await lab.field("Learning rate value").fill("1000");
  await lab.trainFor(5);
  await expect(lab.result.locator(".headline")).toHaveText("Diverged: the loss has been not a number since epoch 3.");
  await expect(lab.result.getByRole("listitem")).toContainText(["learning rate of 1000"]);
  await expect(lab.chart.getByRole("button", { name: /loss is not a number/ })).toBeVisible();
  await expect(lab.runs).toContainText("diverged");
  // The page still works: the next run trains.
  await lab.choose("Example 1");
  await lab.trainFor(2);
});

test("the wasm's memory does not grow from run to run", async ({ lab }) => {
  const memory = () => lab.page.evaluate(() => window.__overfitLab.memoryBytes());
  // During the first runs, previews and results take their places in memory; after that, memory must not grow.
  const settled = 6;
  let before = 0;
  await lab.open();
  await lab.trainFor(2);
  for (let run = 2; run <= 30; run++) {
    await lab.button("Train").click();
    await expect(lab.runs).toHaveCount(run);
    await expect.poll(() => lab.page.evaluate(() => window.__overfitLab.idle())).toBe(true);
    if (run === settled) before = await memory();
  }
  expect(before).toBeGreaterThan(0);
  expect(await memory()).toBeLessThanOrEqual(before * 1.1);
});
