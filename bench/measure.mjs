// Runs on the measuring page: starts workers, and hands messages to them and answers back.

/** Rounds of the kernels that are left out: the engine compiles hot code anew. */
const WARM_UP = 3;

const workers = new Map();

window.startWorker = (url) => {
  const number = workers.size;
  workers.set(number, worker(url));
  return number;
};

/** What the worker answers, or its error's own words. */
window.askWorker = ({ number, message }) =>
  ask(workers.get(number), message).then(
    (answer) => ({ answer }),
    (error) => ({ error: error.message }),
  );

/** Its number is not given again. */
window.stopWorker = (number) => {
  workers.get(number).terminate();
  workers.set(number, null);
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
