// Trains one example. It does by hand what a bundler does with the package: hand the wasm's exports to its JavaScript.
import * as lab from "/pkg/overfit_lab_bg.js";
import { answers } from "./answers.mjs";

let wasm;
let session;

answers({
  /** The article's examples on every backend that is compiled in. */
  async cases() {
    await load();
    const { presets, backends } = lab.catalogue();
    const examples = presets.filter(({ id }) => /^example-\d+$/.test(id));
    return backends.flatMap((backend) => examples.map(({ id }) => ({ name: id, backend: backend.id })));
  },

  async open({ name, backend, epochs }) {
    await load();
    const { experiment } = lab.catalogue().presets.find(({ id }) => id === name);
    session = new lab.TrainingSession({ ...experiment, training: { ...experiment.training, epochs } }, backend);
  },

  run() {
    const start = performance.now();
    session.runEpoch();
    return { milliseconds: performance.now() - start, memory: wasm.memory.buffer.byteLength };
  },
});

async function load() {
  const imports = { "./overfit_lab_bg.js": lab };
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/pkg/overfit_lab_bg.wasm"), imports);
  wasm = instance.exports;
  lab.__wbg_set_wasm(wasm);
  wasm.__wbindgen_start();
}
