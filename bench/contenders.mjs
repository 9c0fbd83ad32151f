// The contenders: this crate on every backend that is compiled in, the machine's multiply-add peak, and the workers of others.
import { PageWorker } from "./page-worker.mjs";

/** A contender that runs as a worker of a page. */
export class Worker {
  #page;
  #url;
  #message;
  #worker;

  /** `message` turns a problem into the message that opens the worker; `traits` are for the rounds and the tables. */
  constructor(page, url, message, traits) {
    Object.assign(this, traits);
    this.#page = page;
    this.#url = url;
    this.#message = message;
  }

  async open(problem) {
    this.#worker = await PageWorker.start(this.#page, this.#url);
    return this.#worker.ask({ kind: "open", ...this.#message(problem) });
  }

  run() {
    return this.#worker.ask({ kind: "run" });
  }

  close() {
    return this.#worker?.stop();
  }
}

/** This crate on each backend, the default one first. */
export function ours(page, version, backends) {
  return backends.map((backend, index) => {
    const traits = { name: `Overfit Lab, ${backend}`, version, backend, isOurs: index === 0 };
    return new Worker(page, "/bench/training.worker.mjs", ({ experiment }) => ({ experiment, backend }), traits);
  });
}

export function peak(page) {
  return new Worker(page, "/bench/peak.worker.mjs", () => ({}), { name: "peak" });
}

/** The article's examples, each with the images, labels and weights that its runs start from, and the compiled-in backends. */
export async function problems(page, epochs) {
  const worker = await PageWorker.start(page, "/bench/training.worker.mjs");
  const { examples, backends } = await worker.ask({ kind: "cases" });
  const all = [];
  for (const { id, experiment } of examples) {
    const longer = { ...experiment, training: { ...experiment.training, epochs } };
    all.push({ example: id, experiment: longer, ...(await worker.ask({ kind: "problem", experiment: longer })) });
  }
  await worker.stop();
  return { problems: all, backends };
}
