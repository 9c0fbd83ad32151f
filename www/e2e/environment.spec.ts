/** Tests the page with other browser settings, and with faults of the network. */
import { expect, test } from "./lab";

test("the page keeps its own content security policy", async ({ lab, page }) => {
  const policy = page.locator('meta[http-equiv="Content-Security-Policy"]');
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(window, { violations });
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  await lab.open();
  const content = await policy.getAttribute("content");
  for (const part of ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'"])
    expect(content).toContain(part);
  await lab.trainFor(12);
  await lab.button("History of image 1").click();
  await lab.button("Show as table").click();
  await lab.openTab("Code");
  expect(await page.evaluate(() => (window as unknown as { violations: string[] }).violations)).toEqual([]);
});

test.describe("with an inline script", () => {
  test.use({ expectedErrors: /Content Security Policy|inline script/ });
  test("the policy blocks scripts and requests that are not the page's own", async ({ lab, page }) => {
    await lab.open();
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      return "ran" in window;
    });
    expect(ran).toBe(false);
  });
});

test("without storage the page works, and a theme lasts for the visit", async ({ lab, page }) => {
  await page.addInitScript(() =>
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    }),
  );
  await lab.open();
  await page.getByRole("combobox", { name: "Theme" }).selectOption("Dark");
  await expect(page.locator("body")).toHaveCSS("background-color", "rgb(18, 19, 20)");
  await lab.trainFor(2);
});

test("until the engine is loaded the page says so, and nothing can be trained", async ({ lab, page }) => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  await page.route("**/*.wasm", async (route) => {
    await opened;
    await route.continue();
  });
  await page.goto(process.env["PAGE_URL"] ?? "");
  await expect(page.locator("#progress-text")).toHaveText("Loading the training engine…");
  await expect(lab.button("Train")).toBeDisabled();
  await expect(lab.button("Step")).toBeDisabled();
  open();
  await expect(lab.button("Train")).toBeEnabled();
  await expect(page.locator("#progress-text")).toHaveText(/^Ready; takes about \d+ MB of memory$/);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });
  test("the page says what it needs", async ({ page }) => {
    await page.goto(process.env["PAGE_URL"] ?? "");
    await expect(page.locator("noscript p")).toBeVisible();
    await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();
    await expect(page.getByText("opened as a file")).toBeVisible();
  });
});

test.describe("without its script", () => {
  test.use({ expectedErrors: /Failed to load resource|ERR_FAILED|net::/ });
  test("the page says that it has not started", async ({ lab, page }) => {
    await page.route("**/assets/index-*.js", (route) => route.abort());
    await page.goto(process.env["PAGE_URL"] ?? "");
    await expect(page.getByText("The page has not started.")).toBeVisible();
    await expect(lab.button("Train")).toBeDisabled();
  });
});

test("in forced colours a switch, progress, options, tabs and disabled controls can be told apart", async ({
  lab,
  page,
}) => {
  await page.emulateMedia({ forcedColors: "active" });
  await lab.open();
  const box = lab.checkbox("Dense bias");
  const look = async () => (await box.screenshot()).toString("base64");
  const on = await look();
  await box.uncheck();
  await page.mouse.move(0, 0);
  expect(await look()).not.toBe(on);

  const progress = page.getByRole("progressbar", { name: "Progress of the run" });
  const empty = (await progress.screenshot()).toString("base64");
  await lab.trainFor(2);
  expect((await progress.screenshot()).toString("base64")).not.toBe(empty);

  const colourOf = (name: string) => lab.button(name).evaluate((button) => getComputedStyle(button).color);
  expect(await colourOf("Pause")).not.toBe(await colourOf("Train"));
  // The active option of a list and the open tab stand out.
  await lab.experiment.press("ArrowDown");
  const backgroundOf = (name: string) =>
    lab.option(name).evaluate((option) => getComputedStyle(option.parentElement ?? option).backgroundColor);
  expect(await backgroundOf("Example 1")).not.toBe(await backgroundOf("Example 2"));
  const edgeOf = (name: string) => lab.tab(name).evaluate((tab) => getComputedStyle(tab).borderBottomColor);
  expect(await edgeOf("Runs")).not.toBe(await edgeOf("Code"));
});

test("paper shows the outcome, the chart, the verdict, the runs and the code, and no controls", async ({
  lab,
  page,
}) => {
  await lab.open();
  await lab.trainFor(12);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByText("Run 1: Example 1")).toBeVisible();
  await expect(page.locator("#score")).toBeVisible();
  await expect(lab.chart).toBeVisible();
  await expect(lab.result).toBeVisible();
  await expect(lab.runs).toHaveCount(1);
  await expect(page.locator("#script")).toBeVisible();
  await expect(page.locator("#script")).toContainText("import keras");
  for (const hidden of [".controls", ".run-bar", ".bench-tabs", "#panel-settings"])
    await expect(page.locator(hidden)).toBeHidden();
});
