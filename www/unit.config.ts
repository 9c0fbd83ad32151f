import { defineConfig } from "@playwright/test";

/** Tests of the pure modules, without a browser. */
export default defineConfig({ testDir: "unit", reporter: "list" });
