// Runs on the measuring page: starts workers, passes messages to them, and returns their answers.

/** Rounds of the kernels that are not counted: the engine recompiles hot code in them. */
const WARM_UP = 3;

const workers = new Map();

window.startWorker = (url) => {
  const number = workers.size;
  workers.set(number, worker(url));
  return number;
};

/** The worker's answer, or its error's message. */
window.askWorker = ({ number, message }) =>
  ask(workers.get(number), message).then(
    (answer) => ({ answer }),
    (error) => ({ error: error.message }),
  );

/** The worker's number is not used again. */
window.stopWorker = (number) => {
  workers.get(number).terminate();
  workers.set(number, null);
};

/** Measures cases of the kernels and the peak; they take turns, a round each. */
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

/** The distance of one image's output from f64, by both paths. */
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
