import { expect, test, type LabPage } from "./lab";

/** Every preset with a mistake, from the catalogue. */
const mistakes = (lab: LabPage) =>
  lab.page.evaluate(() =>
    (window.__overfitLab.catalogue()?.presets ?? []).flatMap(({ name, summary, experiment, mistake }) =>
      mistake === null ? [] : [{ name, summary, experiment, ...mistake }],
    ),
  );
const experiment = (lab: LabPage) => lab.page.evaluate(() => JSON.stringify(window.__overfitLab.experiment()));

/** Every mistake is tested, in two halves that run in parallel. */
for (const half of [0, 1]) {
  test(`every mistake is explained, has a warning, trains, and can be fixed: half ${half + 1}`, async ({ lab }) => {
    await lab.open();
    const all = await mistakes(lab);
    expect(all.length).toBeGreaterThan(20);
    const warnings = lab.page.getByRole("status", { name: "Warnings" }).getByRole("listitem");
    const own = all.filter((_, index) => index % 2 === half);
    let run = 0;
    for (const { name, summary, sees, does, mends, hidden } of own) {
      await test.step(name, async () => {
        await lab.choose(name);
        await expect(lab.experiment).toHaveAccessibleDescription(summary);
        for (const sentence of [sees, does, mends]) await expect(lab.mistake).toContainText(sentence);
        await expect(lab.mistake.getByText("Still memorises: this test does not catch it")).toBeVisible({
          visible: hidden,
        });
        await lab.button(/^\d+ warnings?$/).click();
        await expect(warnings).not.toHaveCount(0);
        for (const text of await warnings.locator("p").allTextContents()) expect(text).toMatch(/Warning .+\.$/);

        await lab.field("Epochs").fill("2");
        await lab.button("Train").click();
        await expect(lab.button(`Restore run ${++run}: ${name}`)).toBeVisible();
        await expect(lab.result).toContainText(/Training accuracy after [12] epochs?: [01]\.\d{4}/);

        const before = await experiment(lab);
        await lab.button("Apply the fix").click();
        await expect(lab.button("Undo the fix")).toBeFocused();
        expect(await experiment(lab)).not.toBe(before);
        // It trains at once, beside the old curve.
        await expect(lab.button(`Restore run ${++run}: ${name}, fixed`)).toBeVisible();
        await expect(lab.checkbox(`Compare run ${run - 1}`)).toBeChecked();
        await expect(lab.button(/^\d+ warnings?$/)).toBeHidden();
      });
    }
  });
}

test("the fixed twin is compared with the mistake, lists its changes, and the fix can be undone", async ({ lab }) => {
  await lab.open();
  const all = await mistakes(lab);
  const first = all.find(({ experiment, mended }) => {
    const [before, after] = [experiment.training, mended.training];
    return before.learning_rate !== after.learning_rate;
  });
  if (first === undefined) throw new Error("No mistake is one of the learning rate");
  await lab.choose(first.name);
  const before = await experiment(lab);
  await lab.trainFor(3);
  await lab.button("Apply the fix").click();
  await expect(lab.experiment).toHaveValue(first.name);
  await expect(lab.runs).toHaveCount(2);
  // The compared run stays on the chart.
  await expect(lab.checkbox("Compare run 1")).toBeChecked();
  await lab.openTab("Code");
  await expect(lab.page.getByRole("region", { name: "Keras script" }).locator("mark")).not.toHaveCount(0);
  await expect(lab.result).toContainText(/Training accuracy after \d\d+ epochs: 1.0000/, { timeout: 150_000 });
  await lab.openTab("Runs");
  await expect(lab.runs).toHaveCount(2);
  await expect(lab.button(`Restore run 2: ${first.name}, fixed`)).toBeVisible();
  await expect(lab.runs.first().getByRole("cell").nth(2)).not.toHaveText("nothing");

  await lab.button("Undo the fix").click();
  await expect(lab.button("Apply the fix")).toBeFocused();
  expect(await experiment(lab)).toBe(before);
  // Restoring a run restores whether its mistake is fixed.
  await lab.button(`Restore run 2: ${first.name}, fixed`).click();
  await expect(lab.button("Undo the fix")).toBeVisible();
});

test("fixing the mistake ends the active run, keeps its curve and trains anew, and Undo brings the mistake back", async ({
  lab,
}) => {
  await lab.open();
  const [first] = await mistakes(lab);
  await lab.choose(first?.name ?? "");
  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  await lab.button("Apply the fix").click();
  await expect(lab.runs).toHaveCount(2);
  await expect(lab.runs.last()).toContainText(/\d+ of 10,000/);
  await expect(lab.checkbox("Compare run 1")).toBeChecked();
  await expect(lab.result).toContainText("Training accuracy after", { timeout: 150_000 });
  await lab.button("Undo").click();
  await expect(lab.button("Apply the fix")).toBeVisible();
  await expect(lab.field("Epochs")).toHaveValue("10000");
});
