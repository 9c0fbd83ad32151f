import { expect, test, type LabPage } from "./lab";

/** Each control, how a person changes it, and the change that the table of runs then shows. */
const changes: { control: string; change: (lab: LabPage) => Promise<unknown>; changed: RegExp }[] = [
  {
    control: "Learning rate value",
    change: (lab) => lab.field("Learning rate value").fill("2e-3"),
    changed: /learning rate 0\.002/i,
  },
  {
    control: "Learning rate",
    change: (lab) => lab.slider("Learning rate").press("ArrowRight"),
    changed: /learning rate/i,
  },
  { control: "Batch size", change: (lab) => lab.slider("Batch size").fill("6"), changed: /batch size 6/i },
  { control: "Convolution biases", change: (lab) => lab.checkbox("Convolution biases").uncheck(), changed: /bias/i },
  { control: "Dense bias", change: (lab) => lab.checkbox("Dense bias").uncheck(), changed: /bias/i },
  { control: "Optimizer", change: (lab) => lab.optimizer().selectOption({ label: "RMSprop" }), changed: /optimizer/i },
  { control: "Epochs", change: (lab) => lab.field("Epochs").fill("7"), changed: /epochs 7/i },
  { control: "Seed", change: (lab) => lab.field("Seed").fill("42"), changed: /seed 42/i },
  { control: "New seed", change: (lab) => lab.button("New seed").click(), changed: /seed \d+/i },
];

for (const { control, change, changed } of changes) {
  test(`${control} changes the experiment`, async ({ lab }) => {
    await lab.open();
    await change(lab);
    await lab.button("Step").click();
    await lab.reaches(1);
    await expect(lab.runs).toHaveCount(1);
    await expect(lab.runs.getByRole("cell").nth(2)).toHaveText(changed);
    await lab.button("Stop").click();
    await expect(lab.result).toContainText("Training accuracy after 1 epoch");
  });
}

const optimizers = ["Adam", "SGD", "SGD with momentum", "SGD with Nesterov momentum", "RMSprop", "AdamW"];
for (const name of optimizers) {
  test(`${name} trains`, async ({ lab }) => {
    await lab.open();
    await lab.optimizer().selectOption({ label: name });
    await lab.trainFor(2);
    await expect(lab.optimizer().getByRole("option", { selected: true })).toHaveText(name);
  });
}

test("a typed learning rate stays as typed, and the slider follows", async ({ lab }) => {
  await lab.open();
  await lab.field("Learning rate value").fill("1e-2");
  await expect(lab.slider("Learning rate")).toHaveAttribute("aria-valuetext", "0.01");
  await expect(lab.field("Learning rate value")).toHaveValue("1e-2");
  await lab.slider("Learning rate").press("ArrowRight");
  await expect(lab.field("Learning rate value")).not.toHaveValue("1e-2");
});

test("the batch size has a note, and the network its layers and weights", async ({ lab }) => {
  await lab.open();
  const before = await lab.page.locator("#batch-note").textContent();
  await lab.slider("Batch size").fill("3");
  await expect(lab.page.locator("#batch-note")).not.toHaveText(before ?? "");
  await lab.openTab("All settings");
  await expect(lab.page.locator("#layers li")).toHaveCount(4);
  await expect(lab.page.locator("#network-total")).toHaveText(/^62,402 weights in all; about \d+ MB to train\.$/);
});

test("the Keras script follows the controls and marks the differences", async ({ lab }) => {
  await lab.open();
  await lab.openTab("Code");
  const script = lab.page.getByRole("region", { name: "Keras script" });
  await expect(script).toContainText("import keras");
  await expect(script.locator("mark")).toHaveCount(0);
  await lab.field("Learning rate value").fill("0.02");
  await expect(script.locator("mark").filter({ hasText: "0.02" })).not.toHaveCount(0);
  await lab.button("Copy").click();
  await expect(lab.page.locator("#copied")).not.toBeEmpty();
});

test("a chosen theme is kept", async ({ lab }) => {
  await lab.open();
  await lab.page.getByRole("combobox", { name: "Theme" }).selectOption("Dark");
  await expect(lab.page.locator("body")).toHaveCSS("background-color", "rgb(18, 19, 20)");
  await lab.open();
  await expect(lab.page.locator("body")).toHaveCSS("background-color", "rgb(18, 19, 20)");
});
