import type { Locator } from "@playwright/test";
import { expect, test } from "./lab";

test("an experiment is chosen, trained and read by keyboard alone", async ({ lab, page }) => {
  await lab.open();
  const tabTo = async (target: Locator) => {
    for (let presses = 0; presses < 80; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error("Tab does not reach it");
  };
  await tabTo(lab.preset("Example 1"));
  await page.keyboard.press("ArrowDown");
  await expect(lab.preset("Example 2")).toBeChecked();
  await page.keyboard.press("ArrowUp");
  await expect(lab.preset("Example 1")).toBeChecked();
  await tabTo(lab.slider("Learning rate"));
  await page.keyboard.press("ArrowRight");
  await tabTo(lab.slider("Batch size"));
  await page.keyboard.press("ArrowLeft");
  await expect(lab.slider("Batch size")).toHaveValue("19");
  await tabTo(lab.checkbox("Dense bias"));
  await page.keyboard.press("Space");
  await expect(lab.checkbox("Dense bias")).not.toBeChecked();
  await tabTo(lab.field("Epochs"));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("8");
  await page.keyboard.press("ArrowDown");
  await expect(lab.field("Epochs")).toHaveValue("7");

  await tabTo(lab.button("Train"));
  await page.keyboard.press("Enter");
  await expect(lab.result).toContainText("Training accuracy after 7 epochs");
  await expect(lab.button("Train")).toBeFocused();

  await tabTo(lab.button("Show as table"));
  await page.keyboard.press("Enter");
  await expect(lab.chart.getByRole("row")).toHaveCount(8);
  await tabTo(lab.button("History of image 2"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: /^Image 2/ })).toBeVisible();
  await tabTo(lab.checkbox("Compare run 1"));
  await page.keyboard.press("Space");
  await expect(lab.checkbox("Compare run 1")).toBeChecked();
  await tabTo(lab.button("Restore run 1: Example 1"));
  await page.keyboard.press("Enter");
  await expect(lab.result).toContainText("after 7 epochs");
});

test("every event on the chart has a name and opens its tip by keyboard", async ({ lab, page }) => {
  await lab.open();
  await lab.preset("Example 3").check();
  await lab.trainFor(12);
  const mark = lab.chart.getByRole("button", { name: /^Epoch \d+: .*dead/ }).first();
  await mark.focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  await expect(mark.locator(".tip")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(mark.locator(".tip")).toBeHidden();
});
