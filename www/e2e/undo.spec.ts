/** Undo and redo of everything that changes the experiment. */
import { expect, test, type LabPage } from "./lab";

const experiment = (lab: LabPage) => lab.page.evaluate(() => JSON.stringify(window.__overfitLab.experiment()));
const press = (lab: LabPage, keys: string) => lab.page.keyboard.press(keys);
/** Takes the focus out of any text field. */
const leave = (lab: LabPage) => lab.button("Train").focus();

test("every kind of control can be undone and redone, by keys and by buttons", async ({ lab }) => {
  await lab.open("?tab=settings");
  await expect(lab.button("Undo")).toBeDisabled();
  await expect(lab.button("Redo")).toBeDisabled();
  const changes: (() => Promise<unknown>)[] = [
    () => lab.field("Learning rate value").fill("0.02"),
    () => lab.slider("Batch size").fill("7"),
    () => lab.checkbox("Dense bias").uncheck(),
    () => lab.optimizer().selectOption("SGD"),
    () => lab.field("Epochs").fill("60"),
    () => lab.button("New seed").click(),
    () => lab.choice("Pixels").selectOption({ index: 1 }),
    () => lab.checkbox("Horizontal flip").check(),
    () => lab.field("Image height").fill("32"),
    () => lab.choose("Softmax twice"),
    () => lab.button("Undo the fix").or(lab.button("Apply the fix")).click(),
    () => lab.button("Reset").click(),
  ];
  const states = [await experiment(lab)];
  for (const change of changes) {
    await change();
    await expect.poll(() => experiment(lab)).not.toBe(states.at(-1));
    states.push(await experiment(lab));
    await leave(lab);
  }
  for (const state of states.slice(0, -1).toReversed()) {
    await press(lab, "ControlOrMeta+z");
    await expect.poll(() => experiment(lab)).toBe(state);
  }
  await expect(lab.button("Undo")).toBeDisabled();
  await expect(lab.experiment).toHaveValue("Example 1");
  for (const [at, state] of states.slice(1).entries()) {
    if (at % 3 === 0) await press(lab, "ControlOrMeta+Shift+z");
    else if (at % 3 === 1) await press(lab, "ControlOrMeta+y");
    else await lab.button("Redo").click();
    await expect.poll(() => experiment(lab)).toBe(state);
  }
  await expect(lab.button("Redo")).toBeDisabled();
  await lab.button("Undo").click();
  await expect.poll(() => experiment(lab)).toBe(states.at(-2));
  await expect(lab.button("Undo the fix")).toBeVisible();
});

test("a drag is one step, and a change after an undo forgets what was undone", async ({ lab, page }) => {
  await lab.open();
  const slider = await lab.slider("Learning rate").boundingBox();
  if (slider === null) throw new Error("The slider has no place on the page");
  const y = slider.y + slider.height / 2;
  const before = await experiment(lab);
  await page.mouse.move(slider.x + slider.width * 0.34, y);
  await page.mouse.down();
  for (const part of [0.4, 0.5, 0.6]) {
    await page.mouse.move(slider.x + slider.width * part, y, { steps: 3 });
    // Longer than the time in which edits are one step.
    await page.waitForTimeout(700);
  }
  await page.mouse.up();
  await expect.poll(() => experiment(lab)).not.toBe(before);
  await press(lab, "ControlOrMeta+z");
  await expect.poll(() => experiment(lab)).toBe(before);
  await expect(lab.button("Undo")).toBeDisabled();
  await expect(lab.button("Redo")).toBeEnabled();
  await lab.checkbox("Dense bias").uncheck();
  await expect(lab.button("Redo")).toBeDisabled();
});

test("typed text is undone by the browser until it is finished, and then as one step", async ({ lab, page }) => {
  await lab.open();
  const rate = lab.field("Learning rate value");
  await rate.selectText();
  await page.keyboard.type("0.025");
  await press(lab, "ControlOrMeta+z");
  await expect(rate).not.toHaveValue("0.025");
  await expect(rate).toBeFocused();
  await rate.selectText();
  await page.keyboard.type("0.025", { delay: 250 });
  await press(lab, "Enter");
  await expect(rate).toHaveValue("0.025");
  await press(lab, "ControlOrMeta+z");
  await expect(rate).toHaveValue("0.001");
  await press(lab, "ControlOrMeta+y");
  await expect(rate).toHaveValue("0.025");
});

test("an undone rate reaches the run that is training", async ({ lab }) => {
  await lab.open();
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  await lab.reaches(2);
  const used = () => lab.page.evaluate(() => window.__overfitLab.metrics()?.learning_rate);
  await lab.field("Learning rate value").fill("0.004");
  await leave(lab);
  await expect.poll(used).toBeCloseTo(0.004, 9);
  await press(lab, "ControlOrMeta+z");
  await expect.poll(used).toBeCloseTo(0.001, 9);
  await lab.button("Stop").click();
});
