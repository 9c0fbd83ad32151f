// Runs the kernels alone, a pass at a time.
import { answers } from "./answers.mjs";

/** The passes, in the order of the bits that `paths` returns. */
const PASSES = ["forward", "kernel gradient", "input gradient"];
let kernels;

answers({
  async open() {
    kernels = (await WebAssembly.instantiateStreaming(fetch("/kernels/overfit_lab_bench.wasm"))).instance.exports;
  },

  /** Opens a case on one path; null where the path does not fit it. */
  add({ block, dense, path }) {
    const number = block ? kernels.open_block(...block, path) : kernels.open_dense(...dense);
    if (number < 0) return null;
    const paths = kernels.paths(number);
    return {
      number,
      operations: kernels.operations(number),
      paths: Object.fromEntries(
        PASSES.map((pass, bit) => [pass, block ? ((paths >> bit) & 1 ? "Winograd" : "direct") : "dense"]),
      ),
    };
  },

  /** Measures each pass of one case, in milliseconds. */
  run({ number, update }) {
    const forward = time(() => kernels.forward(number));
    const kernel = time(() => kernels.backward(number, 0));
    const both = time(() => kernels.backward(number, 1));
    const times = { forward, "kernel gradient": kernel, "input gradient": Math.max(0, both - kernel) };
    if (update) times["Adam"] = time(() => kernels.update(number));
    return times;
  },

  error({ number }) {
    return kernels.forward_error(number);
  },
});

function time(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}
