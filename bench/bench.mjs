// Measures the site in headless Chromium and prints tables. `cargo xtask bench` calls it with one argument, JSON: the address
// under which everything is served, the paths of the site, www/ and Chromium, the number of epochs, the contenders, and the files
// for the figures.
//
// Training speed is measured in workers that load the wasm package themselves, and in other frameworks that train the same
// network; they take turns. Start-up and responsiveness are measured on the page itself.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { ours, peak, problems } from "./contenders.mjs";
import { cases, compared, percentile, round } from "./figures.mjs";
import { Keras } from "./keras.mjs";
import { measureGrowth, measureWorkers } from "./growth.mjs";
import { measureKernels, measureShapes } from "./kernels.mjs";
import { Native } from "./native.mjs";
import { measureNetworks } from "./networks.mjs";
import { measurePage } from "./page.mjs";
import { GPU, bundlePeers, peers } from "./peers.mjs";
import { picture } from "./picture.mjs";
import { print } from "./print.mjs";
import { mostEpochs, takeTurns } from "./rounds.mjs";

const order = JSON.parse(process.argv[2]);

const { chromium } = createRequire(path.join(order.www, "package.json"))("@playwright/test");
const FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const launch = (flags) => chromium.launch({ executablePath: order.chromium, args: [...FLAGS, ...flags] });
const browser = await launch(["--disable-gpu"]);

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
  if (order.svg) writeFileSync(order.svg, picture(figures));
  if (order.json) writeFileSync(order.json, `${JSON.stringify(figures, null, 2)}\n`);
  for (const { contender, example, wrong } of figures.contenders.filter(({ wrong }) => wrong)) {
    console.error(`${contender} is wrong about ${example}: ${wrong}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}

/** Measures every example with every contender, and the peak; they take turns, an epoch each. */
async function measureSpeed() {
  const page = await measuringPage(browser);
  const { problems: examples, backends } = await problems(page, mostEpochs(order.epochs));
  const gpuBrowser = order.peers ? await launch(GPU) : undefined;
  const gpuPage = gpuBrowser && (await measuringPage(gpuBrowser));
  if (order.peers) await bundlePeers(order.www, order.peers);
  const figures = { contenders: [], cases: [] };
  const peaks = [];
  for (const problem of examples) {
    const contenders = [peak(page), ...ours(page, order.version, backends)];
    if (order.native) contenders.push(new Native(order.native, order.version, backends[0]));
    if (order.keras) contenders.push(new Keras(order.keras));
    if (order.peers) contenders.push(...peers(page, gpuPage));
    const start = performance.now();
    const [machine, ...entries] = await takeTurns(contenders, problem, order.epochs);
    console.log(
      `    ${problem.example}, by ${entries.length} in turn: ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    peaks.push(...machine.results.map(({ gflops }) => gflops));
    figures.contenders.push(...compared(problem.example, entries));
    figures.cases.push(...cases(problem.example, entries));
  }
  await gpuBrowser?.close();
  if (order.networks) figures.networks = await measureNetworks(page, order, backends[0]);
  figures.kernels = await measureKernels(page, order.epochs, percentile);
  const { experiment } = examples[0];
  figures.workers = await measureWorkers(page, experiment, os.cpus().length);
  if (order.growth) figures.growth = await measureGrowth(page, experiment);
  if (order.shapes) figures.shapes = await measureShapes(page, 5, percentile);
  await page.close();
  return {
    ...figures,
    simd_peak_gflops: round(percentile(peaks, 50), 1),
    wasm_memory_bytes: Math.max(...figures.cases.map((one) => one.wasm_memory_bytes)),
  };
}

async function measuringPage(browser) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`the measuring page: ${error.message}`));
  await page.goto(`${order.address}/bench/index.html`);
  return page;
}

function wasmSizes() {
  const files = readdirSync(order.site, { recursive: true }).filter((file) => file.endsWith(".wasm"));
  if (files.length !== 1) throw new Error(`${order.site} should hold one .wasm file, not ${files.length}`);
  const bytes = readFileSync(path.join(order.site, files[0]));
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, brotli).length,
  };
}
