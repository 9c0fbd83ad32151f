import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { expect, test, type LabPage } from "./lab";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of every rule of axe, with those of WCAG 2.2 AA that are off by default. */
async function violations(lab: LabPage): Promise<string[]> {
  await lab.page.evaluate(axe);
  const results = await lab.page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run;
    return run({ rules: { "target-size": { enabled: true } } });
  });
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1440, 360]) {
    test(`axe finds nothing in ${colorScheme} at ${width} px, before, during and after a run`, async ({
      lab,
      page,
    }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await lab.open();
      expect(await violations(lab)).toEqual([]);

      for (const name of ["Code", "All settings"]) {
        await lab.openTab(name);
        expect(await violations(lab)).toEqual([]);
      }
      await lab.setSheetOpen(true);
      await lab.field("Seed").fill("none");
      await lab.field("Learning rate value").fill("0.002");
      await expect(lab.alert).toBeVisible();
      expect(await violations(lab)).toEqual([]);

      await lab.field("Seed").fill("1");
      // Long enough to outlast the test.
      await lab.field("Epochs").fill("20000");
      await lab.button("Train").click();
      await lab.reaches(3);
      await lab.slider("Batch size").fill("5");
      await lab.setSheetOpen(false);
      await lab.button("Show as table").click();
      await lab.button("History of image 1").click();
      expect(await violations(lab)).toEqual([]);

      await page.evaluate(() => window.__overfitLab.crashWorker());
      await expect(lab.button("Start again")).toBeVisible();
      expect(await violations(lab)).toEqual([]);

      await lab.button("Start again").click();
      await expect(lab.button("Start again")).toBeHidden();
      await lab.button("Finish now").click({ timeout: 120_000 });
      await expect(lab.result).toContainText("Training accuracy after");
      await lab.openTab("Runs");
      await lab.checkbox("Compare run 1").check();
      await lab.chart
        .getByRole("button", { name: /all right/i })
        .first()
        .focus();
      expect(await violations(lab)).toEqual([]);
    });

    test(`axe finds nothing in ${colorScheme} at ${width} px with a mistake, all settings and many images`, async ({
      lab,
      page,
    }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await lab.open();
      await lab.setSheetOpen(true);
      await lab.experiment.fill("softmax");
      expect(await violations(lab)).toEqual([]);
      await lab.choose("Dropout 0.5 left on");
      await expect(lab.mistake).toBeVisible();
      await lab.setSheetOpen(false);
      await lab.openTab("All settings");
      expect(await violations(lab)).toEqual([]);
      await page.getByText("About", { exact: true }).click();
      expect(await violations(lab)).toEqual([]);
      await page.keyboard.press("Escape");

      await lab.button("Apply the fix").click();
      await lab.choice("Schedule").selectOption("Cosine decay");
      await lab.field("Images").fill("300");
      await expect(page.getByText("and 100 more")).toBeVisible();
      await lab.field("Scale of the pixels").fill("big");
      await page.getByRole("textbox", { name: "Layers", exact: true }).fill("[");
      await page.getByRole("textbox", { name: "Layers", exact: true }).press("ControlOrMeta+Enter");
      await expect(lab.alert).toHaveCount(2);
      expect(await violations(lab)).toEqual([]);
    });
  }
}
