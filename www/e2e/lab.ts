/** The page as people know it, by the names that they read and hear. */
import { type BrowserContext, expect, type Locator, type Page, test as base } from "@playwright/test";

export class LabPage {
  readonly result: Locator;
  readonly images: Locator;
  readonly chart: Locator;
  readonly runs: Locator;
  readonly alert: Locator;
  readonly mistake: Locator;
  readonly experiment: Locator;

  constructor(readonly page: Page) {
    this.result = page.getByRole("status", { name: "Result" });
    this.images = page.getByRole("list", { name: "Training images" });
    this.chart = page.getByRole("figure", { name: "Training history" });
    this.runs = page.getByRole("table", { name: "Runs" }).locator("tbody").getByRole("row");
    this.alert = page.getByRole("alert");
    this.experiment = page.getByRole("combobox", { name: "Experiment", exact: true });
    this.mistake = page.getByRole("region", { name: "What is wrong here" });
  }

  /** Opens the page with the runs in sight; another path opens it as that says. */
  async open(path = "?tab=runs") {
    await this.page.goto(new URL(path, process.env["PAGE_URL"]).href);
    await expect(this.button("Train")).toBeEnabled();
    await expect(this.images.getByRole("listitem")).toHaveCount(20);
  }
  button(name: string | RegExp) {
    return this.page.getByRole("button", { name, exact: true });
  }
  option(name: string) {
    return this.page.getByRole("option", { name, exact: true });
  }
  /** Chooses a preset as a person does who knows its name. */
  async choose(name: string) {
    await this.experiment.fill(name);
    await this.option(name).click();
    await expect(this.experiment).toHaveValue(name);
    await expect(this.experiment).toHaveAttribute("aria-expanded", "false");
  }
  slider(name: string) {
    return this.page.getByRole("slider", { name, exact: true });
  }
  field(name: string) {
    return this.page.getByRole("spinbutton", { name, exact: true });
  }
  checkbox(name: string) {
    return this.page.getByRole("checkbox", { name, exact: true });
  }
  choice(name: string) {
    return this.page.getByRole("combobox", { name, exact: true });
  }
  optimizer() {
    return this.choice("Optimizer");
  }
  tab(name: string) {
    return this.page.getByRole("tab", { name: new RegExp(`^${name}`) });
  }
  /** Opens a tab of the bench, unless it is open. */
  async openTab(name: string) {
    if ((await this.tab(name).getAttribute("aria-selected")) === "false") await this.tab(name).click();
  }
  /** On a narrow page, opens or closes the sheet of controls. */
  async setSheetOpen(open: boolean) {
    const toggle = this.button("Settings");
    if (!(await toggle.isVisible())) return;
    if ((await toggle.getAttribute("aria-expanded")) !== String(open)) await toggle.click();
  }

  epoch(): Promise<number> {
    return this.page.evaluate(() => window.__overfitLab.metrics()?.epoch ?? 0);
  }
  losses(): Promise<number[]> {
    return this.page.evaluate(() => window.__overfitLab.losses());
  }
  async reaches(epoch: number) {
    await expect.poll(() => this.epoch(), { timeout: 120_000 }).toBeGreaterThanOrEqual(epoch);
  }
  /** Changes the form's experiment to one that neither memorises nor ends during a test, however fast the machine. */
  async endlessly() {
    await this.field("Learning rate value").fill("0.000001");
    await this.field("Epochs").fill("10000");
  }
  /** Trains the form's experiment for `epochs` epochs, up to its result. */
  async trainFor(epochs: number) {
    await this.setSheetOpen(true);
    await this.field("Epochs").fill(String(epochs));
    await this.setSheetOpen(false);
    await this.button("Train").click();
    await expect(this.result).toContainText(`Training accuracy after ${epochs} epochs: `, { timeout: 150_000 });
  }
  async imageNames(): Promise<string[]> {
    const items = await this.images.getByRole("listitem").all();
    return Promise.all(items.map(async (item) => (await item.locator(".visually-hidden").textContent()) ?? ""));
  }
}

interface Fixtures {
  lab: LabPage;
  /** Console errors that a test provokes on purpose. */
  expectedErrors: RegExp | null;
}

/** A test fails on any error in the console, any uncaught error, and any request to another host than the page's. */
export const test = base.extend<Fixtures>({
  expectedErrors: [null, { option: true }],
  lab: async ({ page, expectedErrors }, use) => {
    const wrong = watch(page.context());
    await use(new LabPage(page));
    expect(wrong.filter((text) => !expectedErrors?.test(text))).toEqual([]);
  },
});
export { expect };

function watch(context: BrowserContext): string[] {
  const wrong: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => wrong.push(`uncaught: ${error.error().stack}`));
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(process.env["PAGE_URL"] ?? "") && !/^(data|blob):/.test(url)) wrong.push(`request: ${url}`);
  });
  return wrong;
}
