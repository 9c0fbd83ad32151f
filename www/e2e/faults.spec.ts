import { expect, test } from "./lab";

test("a worker that traps is reported and replaced, and earlier runs stay", async ({ lab }) => {
  await lab.open();
  await lab.trainFor(3);
  await lab.field("Epochs").fill("10000");
  await lab.button("Train").click();
  await expect(lab.runs).toHaveCount(2);
  await lab.reaches(2);
  expect(await lab.page.evaluate(() => window.__overfitLab.crashWorker())).toBe(true);

  await expect(lab.alert).toHaveText(
    /^The run failed after epoch \d+ \(.*unreachable.*\): press “Start again” to train it again\.$/,
  );
  await expect(lab.runs).toHaveCount(2);
  await expect(lab.runs.first()).toContainText("failed");
  await expect(lab.runs.last()).toContainText("of 20");

  await lab.button("Start again").click();
  await expect(lab.alert).toBeHidden();
  await expect(lab.runs).toHaveCount(3);
  await lab.reaches(3);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
});

test.describe("a module that does not load", () => {
  test.use({ expectedErrors: /Failed to load resource|ERR_FAILED|net::/ });
  test("is reported, and loaded again on request", async ({ lab, page }) => {
    await page.route("**/*.wasm", (route) => route.abort());
    await page.goto(process.env["PAGE_URL"] ?? "");
    await expect(lab.alert).toHaveText(
      /^The training engine did not load \(.+\): press “Start again” to load it again\.$/,
    );
    await page.unroute("**/*.wasm");
    await lab.button("Start again").click();
    await expect(lab.button("Train")).toBeEnabled();
    await expect(lab.alert).toBeHidden();
    await lab.trainFor(2);
  });
});

test("after a trap without the network, Start again trains with the spare worker", async ({ lab, page }) => {
  const loaded: string[] = [];
  page.context().on("requestfinished", (request) => loaded.push(new URL(request.url()).pathname));
  await lab.open();
  await lab.endlessly();
  await lab.button("Train").click();
  await lab.reaches(2);
  // The answerer, the trainer and the spare trainer.
  await expect.poll(() => loaded.filter((path) => path.endsWith(".wasm")).length, { timeout: 30_000 }).toBe(3);
  await page.context().setOffline(true);
  await page.evaluate(() => window.__overfitLab.crashWorker());
  await expect(lab.alert).toContainText("The run failed after epoch");
  await lab.button("Start again").click();
  await expect(lab.runs).toHaveCount(2);
  await lab.reaches(2);
  await lab.button("Stop").click();
  await expect(lab.result).toContainText("Training accuracy after");
  await page.context().setOffline(false);
});

test("a backend in the address that there is not is told, as text, with those that there are", async ({ lab }) => {
  await lab.open(`?backend=${encodeURIComponent("<b>cuda</b>")}`);
  await expect(lab.alert).toHaveText(
    /^The address asks for the backend “<b>cuda<\/b>”, which is not one of this page's \(flex.*\), so flex is used\.$/,
  );
  await lab.trainFor(2);
});

test("a backend in the address that there is needs no words", async ({ lab }) => {
  await lab.open("?backend=flex");
  await expect(lab.alert).toBeHidden();
});

test.describe("a browser that gives no workers", () => {
  test("is reported, and nothing is left waiting", async ({ lab, page }) => {
    await page.addInitScript(() => {
      window.Worker = class {
        constructor() {
          throw new DOMException("workers are not allowed here", "SecurityError");
        }
      } as unknown as typeof Worker;
    });
    await page.goto(process.env["PAGE_URL"] ?? "");
    await expect(lab.alert).toContainText("The training engine did not load (workers are not allowed here)");
    await expect(lab.button("Train")).toBeDisabled();
  });
});
