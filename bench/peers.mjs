// Other libraries that train in a browser, as contenders: workers of the measuring page, which this module bundles.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "./contenders.mjs";

const SOURCES = path.join(import.meta.dirname, "peers");
/** The browser's flags for a graphics card or, on a machine without one, for a software GPU. */
export const GPU = ["--ignore-gpu-blocklist", "--enable-unsafe-webgpu", "--enable-unsafe-swiftshader"];

const TENSORFLOW = { name: "TensorFlow.js", package: "@tensorflow/tfjs", worker: "tensorflow.worker.mjs" };
const JAX = { name: "jax-js", package: "@jax-js/jax", worker: "jax.worker.mjs" };

const PEERS = [
  { library: TENSORFLOW, backend: "cpu" },
  { library: TENSORFLOW, backend: "wasm" },
  { library: TENSORFLOW, backend: "webgl", onGpu: true },
  { library: TENSORFLOW, backend: "webgpu", onGpu: true },
  { library: JAX, backend: "wasm" },
];

/** `page` is for backends that compute without a graphics card, `gpuPage` for the others. */
export function peers(page, gpuPage) {
  const { dependencies } = JSON.parse(readFileSync(path.join(SOURCES, "package.json"), "utf8"));
  return PEERS.map(({ library, backend, onGpu }) => {
    const traits = { name: `${library.name}, ${backend}`, version: dependencies[library.package], isPeer: true };
    return new Worker(
      onGpu ? gpuPage : page,
      `/peers/${library.worker}`,
      (problem) => ({ ...problem, backend }),
      traits,
    );
  });
}

/** Bundles each worker with its library into the folder, by the page's own vite. */
export async function bundlePeers(www, folder) {
  const vite = createRequire(path.join(www, "package.json")).resolve("vite");
  const { build } = await import(pathToFileURL(vite));
  const input = [TENSORFLOW, JAX].map(({ worker }) => path.join(SOURCES, worker));
  await build({
    configFile: false,
    logLevel: "error",
    root: SOURCES,
    base: "./",
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "esnext",
      minify: false,
      rolldownOptions: { input, output: { entryFileNames: "[name].mjs" } },
    },
  });
}
