import { expect, test } from "./lab";

test("presets are in groups; a folded group can be opened, used and closed by keyboard", async ({ lab, page }) => {
  await lab.open();
  const group = page.getByRole("radiogroup", { name: "Experiment" });
  const titles = await page.evaluate(() => window.__overfitLab.catalogue()?.groups.map(({ title }) => title) ?? []);
  for (const title of titles) await expect(group.getByRole("group", { name: title })).toBeVisible();
  await expect(group.getByRole("radio")).toHaveCount(3);

  const fold = group.getByRole("button", { name: /^Networks \d+$/ });
  const networks = group.getByRole("group", { name: /^Networks/ }).getByRole("radio");
  await expect(fold).toHaveAttribute("aria-expanded", "false");
  await fold.focus();
  await page.keyboard.press("Enter");
  await expect(fold).toHaveAttribute("aria-expanded", "true");
  await expect(networks).not.toHaveCount(0);

  // One radio group: the arrow keys move from the article's examples into the open group.
  await lab.preset("Example 3").focus();
  await page.keyboard.press("ArrowDown");
  await expect(networks.first()).toBeChecked();
  await expect(networks.first()).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(networks.nth(1)).toBeChecked();
  await expect(page.getByRole("region", { name: "Outcome so far" })).toContainText("200 epochs");

  // A folded group still shows the chosen preset, and the keyboard reaches it.
  await fold.focus();
  await page.keyboard.press("Space");
  await expect(networks).toHaveCount(1);
  await expect(networks).toBeChecked();
  await page.keyboard.press("Tab");
  await expect(networks).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(lab.preset("Example 3")).toBeChecked();
  await expect(networks).toHaveCount(0);
});

test("a restored run opens the group of its preset", async ({ lab, page }) => {
  await lab.open();
  await lab.button(/^Networks/).click();
  await lab.preset("MLP").check();
  await lab.trainFor(2);
  await lab.preset("Example 1").check();
  await lab.button(/^Networks/).click();
  await expect(lab.preset("MLP")).toBeHidden();
  await lab.button("Restore run 1: MLP").click();
  await expect(lab.preset("MLP")).toBeChecked();
  await expect(page.getByRole("button", { name: /^Networks/ })).toHaveAttribute("aria-expanded", "true");
});

test("a long list keeps the controls near", async ({ lab, page }) => {
  await lab.open();
  const box = page.getByRole("radiogroup", { name: "Experiment" });
  await lab.button(/^Mistakes/).click();
  await expect(box.getByRole("radio")).not.toHaveCount(3);
  expect((await box.boundingBox())?.height).toBeLessThan(900);
});
