// Runs on the measuring page: one worker a case, an epoch each in turn.

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
