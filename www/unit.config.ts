import { defineConfig } from "@playwright/test";

/** The pure modules, tested without a browser. */
export default defineConfig({ testDir: "unit", reporter: "list" });
