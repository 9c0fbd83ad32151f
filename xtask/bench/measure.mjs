// Runs on the measuring page: one worker a case, an epoch each in turn.

/** Rounds of the kernels that are left out: the engine compiles hot code anew. */
const WARM_UP = 3;

window.measure = async ({ warmUp, epochs }) => {
  const presets = await ask(worker("/bench/training.worker.mjs"), { kind: "cases" });
  const runners = [];
  for (const { name, backend } of presets) {
    const one = { name, backend, worker: worker("/bench/training.worker.mjs"), times: [], memory: 0 };
    await ask(one.worker, { kind: "open", name, backend, epochs: warmUp + epochs });
    runners.push(one);
  }
  const peakWorker = worker("/bench/peak.worker.mjs");
  await ask(peakWorker, { kind: "open" });
  const peaks = [];
  for (let round = 0; round < warmUp + epochs; round += 1) {
    peaks.push((await ask(peakWorker, { kind: "run" })).gflops);
    for (const one of runners) {
      const { milliseconds, memory } = await ask(one.worker, { kind: "run" });
      if (round >= warmUp) one.times.push(milliseconds);
      one.memory = memory;
    }
  }
  return { peaks: peaks.slice(warmUp), cases: runners.map(({ name, backend, times, memory }) => ({ name, backend, times, memory })) };
};

/** Cases of the kernels, a round each in turn with the peak. */
window.measureKernels = async ({ cases, rounds }) => {
  const kernels = worker("/bench/kernels.worker.mjs");
  const peakWorker = worker("/bench/peak.worker.mjs");
  await ask(kernels, { kind: "open" });
  await ask(peakWorker, { kind: "open" });
  const results = [];
  for (const one of cases) {
    const added = await ask(kernels, { kind: "add", ...one });
    if (added) results.push({ ...one, ...added, times: {} });
  }
  const peaks = [];
  for (let round = 0; round < rounds + WARM_UP; round += 1) {
    const { gflops } = await ask(peakWorker, { kind: "run" });
    if (round >= WARM_UP) peaks.push(gflops);
    for (const one of results) {
      const times = await ask(kernels, { kind: "run", ...one, times: null });
      if (round < WARM_UP) continue;
      for (const [pass, milliseconds] of Object.entries(times)) (one.times[pass] ??= []).push(milliseconds);
    }
  }
  kernels.terminate();
  peakWorker.terminate();
  return { peaks, results };
};

/** How far one image's output is from f64, by both paths. */
window.kernelErrors = async (cases) => {
  const kernels = worker("/bench/kernels.worker.mjs");
  await ask(kernels, { kind: "open" });
  const errors = [];
  for (const { name, block } of cases) {
    for (const [path, label] of [
      [1, "direct"],
      [2, "Winograd"],
    ]) {
      const { number } = await ask(kernels, { kind: "add", block: [1, ...block.slice(1)], path });
      errors.push({ name, path: label, error: await ask(kernels, { kind: "error", number }) });
    }
  }
  kernels.terminate();
  return errors;
};

function worker(url) {
  return new Worker(url, { type: "module" });
}

/** Sends one message and waits for its one answer. */
function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data.answer) : reject(new Error(data.error)));
    worker.onerror = (event) => reject(new Error(event.message || "a worker failed to load"));
    worker.postMessage(message);
  });
}
