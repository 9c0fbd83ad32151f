// The crate compiled for this machine, as a contender.
import { Process } from "./process.mjs";

export class Native {
  isNative = true;
  #program;
  #backend;
  #process;

  /** `program` is the path of the example `turns`. */
  constructor(program, version, backend) {
    this.name = `Overfit Lab, ${backend}, native`;
    this.version = version;
    this.#program = program;
    this.#backend = backend;
  }

  open({ experiment }) {
    this.#process = new Process(this.name);
    this.#process.start(this.#program, []);
    return this.#process.ask({ experiment, backend: this.#backend });
  }

  run() {
    return this.#process.ask({});
  }

  close() {
    this.#process?.stop();
  }
}
