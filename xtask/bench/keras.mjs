// Native Keras as a contender: a Python process that answers a line with a line.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const ENVIRONMENT = { OMP_NUM_THREADS: "1", TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1", TF_CPP_MIN_LOG_LEVEL: "3" };

export class Keras {
  name = "Keras";
  isKeras = true;
  #python;
  #process;
  #lines;
  #folder;

  /** `python` is the program of an environment that has Keras. */
  constructor(python) {
    this.#python = python;
  }

  async open({ experiment, images, labels, weights }) {
    this.#folder = mkdtempSync(path.join(os.tmpdir(), "overfit-lab-"));
    const file = path.join(this.#folder, "problem");
    writeFileSync(file, Buffer.concat([images, labels, ...weights.map(({ values }) => values)].map(bytes)));
    this.#process = spawn(this.#python, [path.join(import.meta.dirname, "keras_contender.py")], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...ENVIRONMENT },
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    return this.#ask({ experiment, file, shapes: weights.map(({ shape }) => shape) });
  }

  run() {
    return this.#ask({});
  }

  close() {
    this.#process?.kill();
    if (this.#folder) rmSync(this.#folder, { recursive: true });
  }

  async #ask(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("Keras ended without an answer");
    return JSON.parse(value);
  }
}

function bytes(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
