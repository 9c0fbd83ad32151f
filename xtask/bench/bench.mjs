// Measures the site in headless Chromium and prints a table. `cargo xtask bench` calls it with one argument, JSON:
// the address under which everything is served, where the site, www/ and Chromium are, how many epochs, and where the figures go.
//
// Training speed is measured in workers that load the wasm package themselves, one a case, which take turns: whatever else
// the machine does meanwhile hits every case alike. Everything that a person feels is measured on the page itself.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { measureKernels, measureShapes, shapeText } from "./kernels.mjs";
import { measurePage } from "./page.mjs";

const order = JSON.parse(process.argv[2]);
const WARM_UP = 5;

const { chromium } = createRequire(path.join(order.www, "package.json"))("@playwright/test");
const browser = await chromium.launch({
  executablePath: order.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

try {
  const speed = await measureSpeed();
  const page = await measurePage(browser, `${order.address}/site/`);
  const figures = {
    machine: { cpu: os.cpus()[0]?.model ?? "unknown", cores: os.cpus().length, chromium: browser.version() },
    profile: order.profile,
    ...speed,
    ...page,
    wasm: wasmSizes(),
  };
  print(figures);
  if (order.json) writeFileSync(order.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await browser.close();
}

/** Every example on every backend that is compiled in, and the peak, an epoch each in turn. */
async function measureSpeed() {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`the measuring page: ${error.message}`));
  await page.goto(`${order.address}/bench/index.html`);
  const plan = { warmUp: WARM_UP, epochs: order.epochs };
  const { peaks, cases } = await page.evaluate((plan) => window.measure(plan), plan);
  const kernels = await measureKernels(page, order.epochs, percentile);
  const shapes = order.shapes ? await measureShapes(page, 5, percentile) : undefined;
  await page.close();
  return {
    kernels,
    shapes,
    simd_peak_gflops: round(percentile(peaks, 50), 1),
    cases: cases.map(({ name, backend, times, memory }) => ({
      name,
      backend,
      epoch_ms: { median: round(percentile(times, 50), 2), p95: round(percentile(times, 95), 2), epochs: times.length },
      wasm_memory_bytes: memory,
    })),
    wasm_memory_bytes: Math.max(...cases.map((one) => one.memory)),
  };
}

function wasmSizes() {
  const files = readdirSync(order.site, { recursive: true }).filter((file) => file.endsWith(".wasm"));
  if (files.length !== 1) throw new Error(`${order.site} should hold one .wasm file, not ${files.length}`);
  const bytes = readFileSync(path.join(order.site, files[0]));
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes, brotli).length };
}

/** The value below which so many per cent of the values lie (the nearest rank). */
function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}

function print(figures) {
  const { machine, wasm } = figures;
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`;
  const row = (...cells) => console.log(`  ${cells[0].padEnd(34)}${cells.slice(1).map((cell) => cell.padStart(16)).join("")}`);
  console.log(`\n${machine.cpu}, ${machine.cores} cores, Chromium ${machine.chromium}, profile ${figures.profile}\n`);
  row("ms an epoch", "median", "p95", "wasm memory");
  for (const { name, backend, epoch_ms, wasm_memory_bytes } of figures.cases) {
    row(`${name}, ${backend}`, epoch_ms.median.toFixed(1), epoch_ms.p95.toFixed(1), kilobytes(wasm_memory_bytes));
  }
  printKernels(figures.kernels);
  if (figures.shapes) printShapes(figures.shapes);
  console.log();
  row("simd128 multiply-add peak", `${figures.simd_peak_gflops} GFLOP/s`);
  row("navigation to first epoch drawn", `${figures.first_epoch_ms.toFixed(0)} ms`);
  row("Train to first epoch drawn", `${figures.train_to_first_epoch_ms.toFixed(0)} ms`);
  row("longest main-thread task", `${figures.longest_task_ms.toFixed(1)} ms`);
  row("wasm: raw, gzip, brotli", kilobytes(wasm.raw), kilobytes(wasm.gzip), kilobytes(wasm.brotli));
}

function printKernels({ peak, rows, errors }) {
  const cell = (value, digits = 1) => (value == null ? "" : value.toFixed(digits)).padStart(11);
  console.log(`\n  ${"Example 2's passes".padEnd(40)}  path           ms    GFLOP/s  % of peak     direct   Winograd   (peak ${peak.toFixed(1)})`);
  for (const { name, pass, path, ms, gflops, share_of_peak, direct_ms, winograd_ms } of rows) {
    const share = share_of_peak && share_of_peak * 100;
    console.log(
      `  ${`${name}, ${pass}`.padEnd(40)}  ${path.padEnd(9)}${cell(ms, 2)}${cell(gflops)}${cell(share, 0)}${cell(direct_ms, 2)}${cell(winograd_ms, 2)}`,
    );
  }
  console.log("\n  distance from f64, of the output's l2");
  for (const { name, path, error } of errors) console.log(`  ${`${name}, ${path}`.padEnd(40)}  ${error.toExponential(1)}`);
}

function printShapes(shapes) {
  console.log("\n  shape, and each pass' path, ms and GFLOP/s");
  for (const { shape, passes } of shapes) {
    const cells = passes.map(({ pass, path, ms, gflops }) => `${pass}: ${path} ${ms.toFixed(2)} ms ${gflops.toFixed(0)}`);
    console.log(`  ${shapeText(shape).padEnd(56)}${cells.join("; ")}`);
  }
}
