// Native Keras as a contender.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Process } from "./process.mjs";

const ENVIRONMENT = {
  OMP_NUM_THREADS: "1",
  TF_NUM_INTRAOP_THREADS: "1",
  TF_NUM_INTEROP_THREADS: "1",
  TF_CPP_MIN_LOG_LEVEL: "3",
};

export class Keras {
  name = "Keras";
  isKeras = true;
  #python;
  #process;
  #folder;

  /** `python` is the path of a Python that has Keras. */
  constructor(python) {
    this.#python = python;
  }

  open({ experiment, images, labels, weights }) {
    this.#folder = mkdtempSync(path.join(os.tmpdir(), "overfit-lab-"));
    const file = path.join(this.#folder, "problem");
    writeFileSync(file, Buffer.concat([images, labels, ...weights.map(({ values }) => values)].map(bytes)));
    this.#process = new Process(this.name);
    this.#process.start(this.#python, [path.join(import.meta.dirname, "keras_contender.py")], ENVIRONMENT);
    return this.#process.ask({ experiment, file, shapes: weights.map(({ shape }) => shape) });
  }

  run() {
    return this.#process.ask({});
  }

  close() {
    this.#process?.stop();
    if (this.#folder) rmSync(this.#folder, { recursive: true });
  }
}

function bytes(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
