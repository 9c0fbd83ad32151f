import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const pkg = fileURLToPath(new URL("../pkg/overfit_lab.js", import.meta.url));

export default defineConfig({
  // Relative addresses, so that the built page works from any folder of any host.
  base: "./",
  resolve: {
    // The package is the output of `wasm-pack build`. An alias instead of a dependency, so that `npm ci` does not need it.
    alias: { "overfit-lab": pkg },
  },
  worker: { format: "es" },
  // The first browsers that support light-dark(), which the styles use.
  build: { target: "es2023", cssTarget: ["chrome123", "firefox120", "safari17.5"], assetsInlineLimit: 0 },
  server: { fs: { allow: [".."] } },
});
