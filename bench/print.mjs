// Prints the figures as tables.
import { shapeText } from "./kernels.mjs";

export function print(figures) {
  const { machine, wasm } = figures;
  const row = (...cells) =>
    console.log(
      `  ${cells[0].padEnd(34)}${cells
        .slice(1)
        .map((cell) => cell.padStart(16))
        .join("")}`,
    );
  console.log(`\n${machine.cpu}, ${machine.cores} cores, Chromium ${machine.chromium}, profile ${figures.profile}`);
  printContenders(figures);
  if (figures.networks) printNetworks(figures.networks);
  printKernels(figures.kernels);
  if (figures.shapes) printShapes(figures.shapes);
  if (figures.growth) printGrowth(figures.growth);
  printWorkers(figures.workers);
  console.log();
  row("simd128 multiply-add peak", `${figures.simd_peak_gflops} GFLOP/s`);
  row("navigation to first epoch drawn", `${figures.first_epoch_ms.toFixed(0)} ms`);
  row("Train to first epoch drawn", `${figures.train_to_first_epoch_ms.toFixed(0)} ms`);
  row("longest main-thread task", `${figures.longest_task_ms.toFixed(1)} ms`);
  row("wasm: raw, gzip, brotli", kilobytes(wasm.raw), kilobytes(wasm.gzip), kilobytes(wasm.brotli));
}

function printContenders({ contenders, cases }) {
  const row = (name, ...cells) =>
    console.log(`  ${name.padEnd(40)}${cells.map((cell) => (cell ?? "").padStart(14)).join("")}`);
  const number = (value, digits) => value?.toFixed(digits);
  let example;
  for (const one of contenders) {
    if (one.example !== example) {
      example = one.example;
      console.log();
      row(
        `${example}, ms per epoch`,
        "median",
        "p95",
        "epochs",
        "to Keras",
        "to ours",
        "threads",
        "first loss",
        "wasm memory",
      );
    }
    if (one.unable) {
      console.log(`  ${one.contender.padEnd(40)}unable: ${one.unable}`);
      continue;
    }
    const memory = cases.find(
      ({ name, backend }) => name === example && one.contender === `Overfit Lab, ${backend}`,
    )?.wasm_memory_bytes;
    row(
      one.contender,
      number(one.median, 1),
      number(one.p95, 1),
      `${one.epochs}`,
      number(one.to_keras, 2),
      number(one.to_ours, 2),
      one.processor ?? `${one.threads}`,
      number(one.first_loss, 6),
      memory && kilobytes(memory),
    );
    if (one.wrong) console.log(`    wrong: ${one.wrong}`);
  }
  const versions = new Map(
    contenders.map(({ contender, version, adapter }) => [contender, adapter ? `${version}, ${adapter}` : version]),
  );
  console.log();
  for (const [contender, version] of versions) console.log(`  ${contender}: ${version}`);
}

function printNetworks(networks) {
  const row = (name, ...cells) =>
    console.log(`  ${name.padEnd(28)}${cells.map((cell) => (cell ?? "").padStart(14)).join("")}`);
  console.log();
  row("network, ms per epoch", "limit", "median", "p95", "to the limit", "to without", "judging", "Keras", "peak");
  for (const one of networks) {
    row(
      one.name,
      one.limit_ms.toFixed(3),
      one.median.toFixed(2),
      one.p95?.toFixed(2),
      one.to_limit.toFixed(2),
      one.to_without?.toFixed(2),
      one.judging_ms > 0 ? one.judging_ms.toFixed(2) : undefined,
      one.keras?.toFixed(1),
      one.peak_gflops.toFixed(1),
    );
  }
}

function printKernels({ peak, rows, errors }) {
  const cell = (value, digits = 1) => (value == null ? "" : value.toFixed(digits)).padStart(11);
  console.log(
    `\n  ${"Example 2's passes".padEnd(40)}  path           ms    GFLOP/s  % of peak     direct   Winograd   (peak ${peak.toFixed(1)})`,
  );
  for (const { name, pass, path, ms, gflops, share_of_peak, direct_ms, winograd_ms } of rows) {
    const share = share_of_peak && share_of_peak * 100;
    console.log(
      `  ${`${name}, ${pass}`.padEnd(40)}  ${path.padEnd(9)}${cell(ms, 2)}${cell(gflops)}${cell(share, 0)}${cell(direct_ms, 2)}${cell(winograd_ms, 2)}`,
    );
  }
  console.log("\n  distance from f64, as a share of the output's l2 norm");
  for (const { name, path, error } of errors)
    console.log(`  ${`${name}, ${path}`.padEnd(40)}  ${error.toExponential(1)}`);
}

function printShapes(shapes) {
  console.log("\n  shape, and path, ms and GFLOP/s of each pass");
  for (const { shape, passes } of shapes) {
    const cells = passes.map(
      ({ pass, path, ms, gflops }) => `${pass}: ${path} ${ms.toFixed(2)} ms ${gflops.toFixed(0)}`,
    );
    console.log(`  ${shapeText(shape).padEnd(56)}${cells.join("; ") || "pool by Burn's own operation, not timed"}`);
  }
}

function printGrowth({ example, axes, refused }) {
  const cells = (values) => values.map((value) => value.padStart(16)).join("");
  for (const { name, rows, power, r_squared } of axes) {
    console.log(`\n  ${example}, more ${name}: ms grow as ${name}^${power.toFixed(2)} (R² ${r_squared.toFixed(3)})`);
    console.log(`  ${cells([name, "ms per epoch", "wasm memory", "estimated"])}`);
    for (const { value, ms, wasm_memory_bytes, estimated_memory_bytes } of rows) {
      console.log(
        `  ${cells([`${value}`, ms.toFixed(1), kilobytes(wasm_memory_bytes), kilobytes(estimated_memory_bytes)])}`,
      );
    }
  }
  console.log("\n  large experiments, by estimate");
  for (const { images, side, filters, estimated_memory_bytes, refused: why } of refused) {
    const what = `${images} images of side ${side}, ${filters} filters`;
    console.log(`  ${what.padEnd(56)}${why ? `refused: ${why}` : `accepted: ${kilobytes(estimated_memory_bytes)}`}`);
  }
}

function printWorkers(workers) {
  console.log(
    `\n  ${"workers at a time, a run each".padEnd(34)}${["epochs per s", "times one", "peak times one"].map((cell) => cell.padStart(16)).join("")}`,
  );
  for (const { workers: count, epochs_per_second, times_one, peak_times_one } of workers) {
    const cells = [epochs_per_second.toFixed(1), times_one.toFixed(2), peak_times_one.toFixed(2)];
    console.log(`  ${`${count}`.padEnd(34)}${cells.map((cell) => cell.padStart(16)).join("")}`);
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} KB`;
}
