import { expect, test } from "./lab";

test("the code shows every line on a line of its own, marked ones too", async ({ lab, page }) => {
  await lab.open();
  await lab.choose("Example 3");
  await lab.field("Learning rate value").fill("0.5");
  await lab.field("Epochs").fill("300");
  await lab.openTab("Code");
  const script = page.getByRole("region", { name: "Keras script" });
  await expect(script.locator("mark")).not.toHaveCount(0);
  await expect(script.locator("mark", { hasText: "300" })).not.toHaveCount(0);
  const lines = await script.locator("> *").evaluateAll((all) =>
    all.map((line) => {
      const { y, height } = line.getBoundingClientRect();
      return { text: line.textContent ?? "", y, height };
    }),
  );
  expect(lines.length).toBeGreaterThan(20);
  lines.forEach(({ y, height, text }, at) => {
    expect(height, text).toBeGreaterThan(10);
    if (at > 0) expect(y, text).toBeGreaterThan((lines[at - 1]?.y ?? 0) + 10);
  });
  expect(lines.map(({ text }) => text).join("\n")).toContain('loss="sparse_categorical_crossentropy"');
  // The selected text is the copied text.
  const selected = await script.evaluate((element) => {
    getSelection()?.selectAllChildren(element);
    return getSelection()?.toString() ?? "";
  });
  expect(selected.split("\n").filter((line) => line.trim() !== "")).toEqual(
    lines.map(({ text }) => text).filter((text) => text.trim() !== ""),
  );
});

test("the results in Keras are those of the unchanged preset, with the digits that its script prints", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.openTab("Code");
  await lab.choose("Example 3");
  await lab.field("Learning rate value").fill("0.5");
  const checks = page.getByRole("table", { name: /^Example 3, unchanged, in Keras \S+ and PyTorch/ });
  await expect(checks.getByRole("rowheader")).toHaveText(["Unchanged"]);
  await lab.choose("Example 1");
  const losses = page.locator("#checks-table .muted");
  for (const text of await losses.allTextContents()) expect(text).not.toMatch(/e-/);
});
