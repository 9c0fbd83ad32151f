import type { Locator } from "@playwright/test";
import { expect, test } from "./lab";

test("an experiment can be chosen, trained and read by keyboard alone", async ({ lab, page }) => {
  await lab.open();
  const tabTo = async (target: Locator) => {
    for (let presses = 0; presses < 80; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error("Tab does not reach it");
  };
  await tabTo(lab.experiment);
  for (const [key, name] of [
    ["ArrowDown", "Example 2"],
    ["ArrowUp", "Example 1"],
  ] as const) {
    // The first arrow opens the list, the second moves.
    await page.keyboard.press(key);
    await page.keyboard.press(key);
    await page.keyboard.press("Enter");
    await expect(lab.experiment).toHaveValue(name);
  }
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
  // The images are one Tab stop; arrow keys move among them.
  await tabTo(lab.button("History of image 1"));
  await page.keyboard.press("ArrowRight");
  await expect(lab.button("History of image 2")).toBeFocused();
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
  await lab.choose("Example 3");
  await lab.trainFor(12);
  const mark = lab.chart.getByRole("button", { name: /^Epoch \d+: .*dead/ }).first();
  await mark.focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  await expect(mark.locator(".tip")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(mark.locator(".tip")).toBeHidden();
});

test("everything on the page is reached by Tab, Train soon and the code at last", async ({ lab, page }) => {
  await lab.open();
  await lab.trainFor(2);
  await lab.openTab("Code");
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const reached: string[] = [];
  const name = () =>
    page.evaluate(() => {
      const { id, tagName, textContent, ariaLabel } = document.activeElement as HTMLElement;
      return tagName === "BODY" ? null : id || ariaLabel || (textContent ?? "").trim();
    });
  // From the focus, which is after Train, around the page and back.
  await page.locator(".skip a").first().focus();
  for (let at = await name(); at !== null && reached.length < 80; at = await name()) {
    reached.push(at);
    await page.keyboard.press("Tab");
  }
  expect(reached.indexOf("train")).toBeLessThan(8);
  for (const control of ["experiment", "learning-rate", "seed", "plot", "History of image 1", "tab-code"])
    expect(reached).toContain(control);
  expect(reached.filter((at) => at.startsWith("History of image"))).toHaveLength(1);
  expect(reached.at(-1)).toBe("script");
});

test("links skip the controls", async ({ lab, page }) => {
  await lab.open();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to Train" })).toBeFocused();
  await expect(page.getByRole("link", { name: "Skip to Train" })).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(lab.button("Train")).toBeFocused();
});

test("the events of a run are announced, each once", async ({ lab, page }) => {
  await page.addInitScript(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    addEventListener("DOMContentLoaded", () => {
      const region = document.querySelector("#announcements");
      if (region) new MutationObserver(() => heard.push(region.textContent ?? "")).observe(region, { childList: true });
    });
  });
  await lab.open();
  await lab.trainFor(60);
  const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard.join(" "));
  expect(heard.match(/first 100 %/g)).toHaveLength(1);
  expect(heard).toMatch(/Epoch 22: /);
  // A drag over rates with warnings is silent until it rests.
  for (let presses = 0; presses < 70; presses++) await lab.slider("Learning rate").press("ArrowRight");
  await expect(page.locator("#warnings-count")).toBeVisible();
  await expect
    .poll(() =>
      page.evaluate(
        () => (window as unknown as { heard: string[] }).heard.filter((text) => /^Warning/.test(text)).length,
      ),
    )
    .toBe(1);
  await expect(page.locator("#warnings")).toHaveAttribute("aria-live", "off");
});
