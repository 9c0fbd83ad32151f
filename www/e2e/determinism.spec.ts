import { expect, test } from "./lab";

test("the same experiment gives the same numbers, another seed others", async ({ lab }) => {
  await lab.open();
  await lab.slider("Batch size").fill("7");
  await lab.trainFor(6);
  const first = await lab.losses();
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(2);
  await expect.poll(() => lab.page.evaluate(() => window.__overfitLab.idle())).toBe(true);
  expect(await lab.losses()).toEqual(first);
  await lab.field("Seed").fill("2");
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(3);
  await expect.poll(() => lab.page.evaluate(() => window.__overfitLab.idle())).toBe(true);
  expect(await lab.losses()).not.toEqual(first);
});

test("a changed batch size leaves the images and labels as they were", async ({ lab }) => {
  const drawn = () =>
    lab.images.locator("canvas").evaluateAll((all) => all.map((one) => (one as HTMLCanvasElement).toDataURL()));
  await lab.open();
  const [pixels, names] = [await drawn(), await lab.imageNames()];
  await lab.slider("Batch size").fill("4");
  await lab.trainFor(1);
  const labels = (all: string[]) => all.map((name) => name.split(", ")[1]);
  expect(labels(await lab.imageNames())).toEqual(labels(names));
  expect(await drawn()).toEqual(pixels);
  await lab.field("Seed").fill("9");
  await expect.poll(drawn).not.toEqual(pixels);
});
