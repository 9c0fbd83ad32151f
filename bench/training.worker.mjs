// Trains one example. Like a bundler, it passes the wasm's exports to the package's JavaScript, but by hand.
import * as lab from "/pkg/overfit_lab_bg.js";
import { answers } from "./answers.mjs";

let wasm;
let run;

answers({
  /** The article's examples, and every compiled-in backend, the default first. */
  async cases() {
    await load();
    const { presets, backends } = lab.catalogue();
    return {
      examples: presets.filter(({ id }) => /^example-\d+$/.test(id)).map(({ id, experiment }) => ({ id, experiment })),
      backends: backends.map(({ id }) => id),
    };
  },

  /** Every preset of the catalogue. */
  async presets() {
    await load();
    const { presets } = lab.catalogue();
    return { presets: presets.map(({ id, group, experiment }) => ({ id, group, experiment })) };
  },

  /** The images, labels and weights that an experiment starts from, so that other contenders start from the same. */
  async problem({ experiment }) {
    await load();
    const preview = new lab.DatasetPreview(experiment);
    const weights = new lab.Run(experiment, lab.defaultBackend()).weights();
    return {
      images: preview.pixels(),
      labels: preview.labels(),
      weights: weights.map((weight) => ({ name: weight.name, shape: [...weight.shape], values: weight.values })),
    };
  },

  /** Why an experiment is refused or, if it is accepted, an estimate of its memory, and the multiply-adds of an epoch. */
  async about({ experiment }) {
    await load();
    const { problems, description } = lab.describe(experiment, "example-1");
    if (description === null) return { refused: problems[0].message };
    const { memory_bytes, multiply_adds } = description.summary;
    return { memory: memory_bytes, multiply_adds };
  },

  async open({ experiment, backend }) {
    await load();
    run = new lab.Run(experiment, backend ?? lab.defaultBackend());
    return { threads: 1 };
  },

  /** Trains an epoch. Its judging in inference is reported apart, because no other contender does that. */
  run() {
    const start = performance.now();
    const { metrics } = run.runEpoch();
    const judging = metrics.inference?.milliseconds ?? 0;
    const milliseconds = performance.now() - start - judging;
    return { milliseconds, judging, loss: metrics.loss, memory: wasm.memory.buffer.byteLength };
  },

  run_many({ epochs }) {
    for (let epoch = 0; epoch < epochs; epoch += 1) run.runEpoch();
  },
});

async function load() {
  if (wasm) return;
  const imports = { "./overfit_lab_bg.js": lab };
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/pkg/overfit_lab_bg.wasm"), imports);
  wasm = instance.exports;
  lab.__wbg_set_wasm(wasm);
  wasm.__wbindgen_start();
}
