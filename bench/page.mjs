// Measures start-up and responsiveness on the page itself: the time to the first drawn epoch, and the main thread's longest task.

const VISITS = 5;
const TRAINING_MS = 8000;
const REST_MS = 500;

export async function measurePage(browser, address) {
  const context = await browser.newContext();
  await visit(context, address); // fills the cache
  const visits = [];
  for (let i = 0; i < VISITS; i += 1) visits.push(await visit(context, address));
  const longest = [];
  for (const preset of ["Example 1", "Example 2"]) longest.push(await longestTask(browser, context, address, preset));
  await context.close();
  return {
    first_epoch_ms: median(visits.map(({ drawn }) => drawn)),
    train_to_first_epoch_ms: median(visits.map(({ drawn, pressed }) => drawn - pressed)),
    ready_ms: median(visits.map(({ ready }) => ready)),
    longest_task_ms: tenths(Math.max(...longest)),
  };
}

/** Opens the page, presses Train as soon as the page is ready, and returns the time of each event in ms since the navigation. */
async function visit(context, address) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    addEventListener("click", () => performance.mark("train-pressed"), { capture: true });
  });
  await page.goto(address);
  await train(page);
  const marks = await page.evaluate(() =>
    Object.fromEntries(performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime])),
  );
  await page.close();
  return { ready: marks.ready, pressed: marks["train-pressed"], drawn: marks["first-epoch-drawn"] };
}

async function train(page) {
  await marked(page, "ready");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await marked(page, "first-epoch-drawn");
}

function marked(page, name) {
  return page.waitForFunction((name) => performance.getEntriesByName(name).length > 0, name);
}

/** The longest task of the page's main thread in the first seconds of training, in ms, by the browser's trace. */
async function longestTask(browser, context, address, preset) {
  const page = await context.newPage();
  await page.goto(address);
  await marked(page, "ready");
  await page.getByRole("combobox", { name: "Experiment" }).fill(preset);
  await page.getByRole("option", { name: preset, exact: true }).click();
  await page.waitForTimeout(REST_MS); // drawing the chosen preset is not measured
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] });
  await train(page);
  await page.waitForTimeout(TRAINING_MS);
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  await page.close();
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid}:${tid}`),
  );
  const tasks = traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && main.has(`${pid}:${tid}`));
  if (tasks.length === 0) throw new Error("the trace holds no task of the page's main thread");
  return Math.max(...tasks.map(({ dur }) => dur ?? 0)) / 1000;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return tenths(sorted[Math.floor(sorted.length / 2)]);
}

function tenths(milliseconds) {
  return Number(milliseconds.toFixed(1));
}
