/** Serves www/dist on a free local port, at the root and from a folder below it, during the tests. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const DIST = join(import.meta.dirname, "..", "dist");
export const SUB_PATH = "/some/folder/";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

export default async function start() {
  if (!existsSync(join(DIST, "index.html"))) throw new Error("www/dist is missing: run `npm run build` first");
  const server = createServer(async ({ url = "/" }, response) => {
    const path = new URL(url, "http://localhost").pathname;
    const inside = path.startsWith(SUB_PATH) ? path.slice(SUB_PATH.length) : path.slice(1);
    const file = join(DIST, normalize(`/${inside || "index.html"}`));
    try {
      const body = await readFile(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  process.env["PAGE_URL"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return () => server.close();
}
