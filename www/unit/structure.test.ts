/** Tests which part of the page may import which. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "@playwright/test";

const SRC = join(import.meta.dirname, "..", "src");

interface Import {
  from: string;
  to: string;
  typesOnly: boolean;
}

/** Every import of the page, by a path below src/ or a package's name. */
function imports(): Import[] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.flatMap((file) => {
    const text = readFileSync(join(SRC, file), "utf8");
    const found = [...text.matchAll(/^import\s+(type\s)?[^"]*"([^"]+)"|(?:import|new URL)\(\s*"([^"]+)"/gm)];
    return found.map(([, type, named, called]) => {
      const to = named ?? called ?? "";
      const path = to.startsWith(".") ? relative(SRC, join(SRC, dirname(file), to)) : to;
      return { from: file, to: path.replace(/\.ts$/, ""), typesOnly: type !== undefined };
    });
  });
}

const all = imports();
const from = (folder: RegExp) => all.filter((found) => folder.test(found.from));

test("the imports are found", () => {
  expect(all.length).toBeGreaterThan(100);
  expect(all).toContainEqual({ from: "worker-pool.ts", to: "training.worker", typesOnly: false });
});

test("only the worker imports the package; all other parts import its types alone", () => {
  const importers = all.filter(({ to, typesOnly }) => to === "overfit-lab" && !typesOnly).map((found) => found.from);
  expect(importers).toEqual(["training.worker.ts"]);
});

test("views and controls never talk to workers: they use only the lab's intents", () => {
  const reached = from(/^(views|controls)\//).filter(({ to }) => /^worker-pool$|^training\.worker$|^lab\//.test(to));
  expect(new Set(reached.map(({ to }) => to))).toEqual(new Set(["lab/intents"]));
  expect(reached.filter(({ typesOnly }) => !typesOnly)).toEqual([]);
});

test("data flows one way: the lab and its base import no view and no control", () => {
  const below = all.filter(({ from }) => !/^(views|controls|testing)\/|^main\.ts$/.test(from));
  expect(below.filter(({ to }) => /^(views|controls)\//.test(to))).toEqual([]);
});

test("controls import no view", () => {
  expect(from(/^controls\//).filter(({ to }) => to.startsWith("views/"))).toEqual([]);
});

test("parts for tests are loaded only on demand", () => {
  const users = all.filter(({ to, typesOnly }) => to.startsWith("testing/") && !typesOnly).map((found) => found.from);
  expect(users.sort()).toEqual(["main.ts", "training.worker.ts"]);
  for (const user of users) expect(readFileSync(join(SRC, user), "utf8")).toMatch(/await import\("\.\/testing\//);
});
