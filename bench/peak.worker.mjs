// Measures the multiply-add peak of the machine, some 20 ms at a time.
import { answers } from "./answers.mjs";

const MILLISECONDS = 20;
let wasm;
let repeats;

answers({
  async open() {
    wasm = (await WebAssembly.instantiateStreaming(fetch("/kernels/overfit_lab_bench.wasm"))).instance.exports;
    // The engine recompiles hot code: run until it has, then choose the number of repeats.
    for (repeats = 1; time(repeats) < MILLISECONDS;) repeats *= 2;
    for (repeats = 1; time(repeats) < MILLISECONDS;) repeats *= 2;
  },

  run() {
    return { gflops: (wasm.peak_operations() * repeats) / time(repeats) / 1e6 };
  },
});

function time(repeats) {
  const start = performance.now();
  wasm.multiply_add(repeats);
  return performance.now() - start;
}
