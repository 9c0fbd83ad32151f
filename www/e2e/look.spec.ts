import { expect, test } from "./lab";

test("a run answers questions about a layer's output and gradient, during training and after", async ({ lab }) => {
  await lab.open();
  const look = (layer: number, image: number) =>
    lab.page.evaluate(
      async ([layer, image]) => {
        const { shape, values, gradients } = await window.__overfitLab.look(layer ?? 0, image ?? 0);
        return { shape, values: [...values], gradients: [...gradients] };
      },
      [layer, image],
    );
  const refusal = (layer: number, image: number) => look(layer, image).then(() => "answered", String);

  expect(await refusal(0, 0)).toContain("no run is shown");
  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  // Example 1: Conv 32, max-pool, flatten, Dense 2.
  const convolution = await look(0, 3);
  expect(convolution.shape).toEqual([62, 62, 32]);
  expect(convolution.values).toHaveLength(62 * 62 * 32);
  expect(convolution.gradients).toHaveLength(62 * 62 * 32);
  expect(Math.min(...convolution.values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  expect((await look(3, 3)).shape).toEqual([2]);
  expect(await refusal(9, 0)).toContain("Layer: 9 is not allowed; it must be a whole number from 0 to 3.");
  expect(await refusal(0, 20)).toContain("Image: 20");
  const epoch = await lab.epoch();
  await lab.reaches(epoch + 2);

  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
  // The gradient of a cross-entropy by two logits: both are as large, with different signs.
  const [first, second] = (await look(3, 3)).gradients;
  expect(first).not.toBe(0);
  expect(first).toBeCloseTo(-(second ?? 0), 6);

  // Another run takes the worker, so the first run's network is gone.
  await lab.trainFor(2);
  expect((await look(0, 0)).shape).toEqual([62, 62, 32]);
  await lab.button("Restore run 1: Example 1").click();
  await expect(lab.field("Epochs")).toHaveValue("10000");
  expect(await refusal(0, 0)).toContain("no worker has this run");
});
