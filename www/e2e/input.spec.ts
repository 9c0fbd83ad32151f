import { expect, test } from "./lab";

/** Refused entries of each field. The messages are Rust's: these tests check that they name the field and the entry. */
const refused = [
  {
    field: "Learning rate value",
    id: "learning-rate",
    name: /learning rate/i,
    values: ["0", "-1", "NaN", "inf", "1e9", "fast", ""],
  },
  { field: "Epochs", id: "epochs", name: /epochs/i, values: ["0", "-5", "2.5", "1e12", "many", ""] },
  { field: "Seed", id: "seed", name: /seed/i, values: ["-1", "0.5", "x", ""] },
];

for (const { field, id, name, values } of refused) {
  test(`${field} refuses values out of its range`, async ({ lab }) => {
    await lab.open();
    const input = lab.field(field);
    const good = await input.inputValue();
    for (const value of values) {
      await input.fill(value);
      await lab.button("Train").click();
      await expect(input).toHaveAttribute("aria-invalid", "true");
      await expect(input).toBeFocused();
      await expect(input).toHaveValue(value);
      const problem = lab.page.locator(`#${id}-problem`);
      await expect(problem).toHaveRole("alert");
      await expect(problem).toHaveText(name);
      await expect(input).toHaveAccessibleDescription((await problem.textContent()) ?? "");
      await expect(lab.page.getByRole("table", { name: "Runs" })).toBeHidden();
    }
    await input.fill(good);
    await expect(lab.alert).toBeHidden();
    await expect(input).toHaveAttribute("aria-invalid", "false");
    await lab.button("Step").click();
    await lab.reaches(1);
  });
}

test("two invalid fields are both shown, and Train goes to the first", async ({ lab }) => {
  await lab.open();
  await lab.field("Seed").fill("none");
  await lab.field("Learning rate value").fill("-1");
  await expect(lab.alert).toHaveCount(2);
  await lab.button("Train").click();
  await expect(lab.field("Learning rate value")).toBeFocused();
  await lab.field("Learning rate value").fill("0.01");
  await expect(lab.alert).toHaveCount(1);
  await lab.choose("Example 2");
  await expect(lab.alert).toHaveCount(0);
});

test("a field that is selected to be typed over stays selected when another preset's value comes", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.field("Epochs").selectText();
  // As if the answer came late: the focus stays in the field.
  await page.evaluate(() => document.getElementById("option-example-3")?.click());
  await expect(lab.field("Epochs")).toHaveValue("1000");
  await page.keyboard.type("7");
  await expect(lab.field("Epochs")).toHaveValue("7");
});
