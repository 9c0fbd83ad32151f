/** Tests what the chart's canvas shows and no name or text tells. */
import { expect, test, type LabPage } from "./lab";

/** The number of drawn pixels in a part of the chart, whose sides are shares of the canvas. */
function inked(lab: LabPage, part: { left: number; right: number; top: number; bottom: number }): Promise<number> {
  return lab.page.locator("#plot canvas").evaluate((element, { left, right, top, bottom }) => {
    const canvas = element as HTMLCanvasElement;
    const { width, height } = canvas;
    // Reads a copy: the chart's own canvas is only for drawing.
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy?.drawImage(canvas, 0, 0);
    const pixels = copy?.getImageData(left * width, top * height, (right - left) * width, (bottom - top) * height).data;
    return (pixels ?? []).filter((value, at) => at % 4 === 3 && value > 128).length;
  }, part);
}

test("the loss axis has numbers, however far the loss goes", async ({ lab, page }) => {
  const numbers = { left: 0.92, right: 1, top: 0.3, bottom: 0.85 };
  await lab.open();
  await expect.poll(() => inked(lab, numbers)).toBeGreaterThan(100);
  await lab.openTab("All settings");
  const layers = page.getByRole("textbox", { name: "Layers", exact: true });
  await layers.fill((await layers.inputValue()).replace('"activation": "relu"', '"activation": null'));
  await layers.press("ControlOrMeta+Enter");
  await lab.optimizer().selectOption("SGD");
  await lab.field("Learning rate value").fill("10");
  await lab.trainFor(12);
  expect(Math.max(...(await lab.losses()).filter(Number.isFinite))).toBeGreaterThan(1e6);
  await expect.poll(() => inked(lab, numbers)).toBeGreaterThan(100);
});
