// A contender that runs as a process of its own and answers each line of JSON with one line.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Process {
  #name;
  #process;
  #lines;

  constructor(name) {
    this.#name = name;
  }

  start(program, args, environment = {}) {
    this.#process = spawn(program, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async ask(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended without an answer`);
    return JSON.parse(value);
  }

  stop() {
    this.#process?.kill();
  }
}
