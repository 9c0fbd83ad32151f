import { expect, test } from "./lab";

/** The article's examples, with fewer epochs where the outcome is decided early. */
const examples = [
  {
    preset: "Example 1",
    epochs: 60,
    accuracy: "1.0000",
    headline: /^Memorised: all 20 images/,
    label: "memorised",
    finding: null,
  },
  {
    preset: "Example 2",
    epochs: 50,
    accuracy: "1.0000",
    headline: /^Memorised: all 20 images/,
    label: "memorised",
    finding: null,
  },
  {
    preset: "Example 3",
    epochs: 40,
    accuracy: "0.",
    headline: /^Not memorised/,
    label: "every filter dead",
    finding: /ln 2/,
  },
];

for (const { preset, epochs, accuracy, headline, label, finding } of examples) {
  test(`${preset} is trained to its result`, async ({ lab }) => {
    await lab.open();
    expect(await lab.imageNames()).toContainEqual(expect.stringMatching(/^Image 3, class [01], not trained yet$/));
    await lab.choose(preset);
    await lab.trainFor(epochs);

    await expect(lab.result).toContainText(`Training accuracy after ${epochs} epochs: ${accuracy}`);
    await expect(lab.result.locator(".headline")).toHaveText(headline);
    if (finding !== null) await expect(lab.result.getByRole("listitem")).toContainText([finding]);

    const names = await lab.imageNames();
    for (const name of names) expect(name).toMatch(/^Image \d+, class [01], predicted [01], (right|wrong)$/);
    const right = names.filter((name) => name.endsWith("right")).length;
    await expect(lab.page.getByRole("region", { name: "Outcome so far" })).toContainText(`${right} of 20`);

    await expect(lab.runs).toHaveCount(1);
    for (const cell of [preset, `epochs ${epochs}`, `${right} of 20`, label])
      await expect(lab.runs).toContainText(cell);

    await lab.button("Show as table").click();
    await expect(lab.chart.getByRole("row")).toHaveCount(epochs + 1);
    await expect(lab.chart.getByRole("row").last()).toContainText(String(epochs));
  });
}
