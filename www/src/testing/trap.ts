/** Traps by the wasm instruction `unreachable`, as a panic in Rust does. Only tests make the worker load this. */
export function executeUnreachable(): never {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const sections = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 0x74, 0x72, 0x61, 0x70, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b];
  const { trap } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([...header, ...sections]))).exports;
  if (typeof trap === "function") trap();
  throw new Error("unreachable");
}
