import { expect, test } from "@playwright/test";
import { drawEachFrame } from "../src/frames";
import { initialState, Store } from "../src/store";

let frames: (() => void)[] = [];
globalThis.requestAnimationFrame = (draw) => frames.push(() => draw(performance.now()));

/** Lets one frame pass; returns whether anything had requested it. */
function frame(): boolean {
  const due = frames;
  frames = [];
  for (const draw of due) draw();
  return due.length > 0;
}

function busy(milliseconds: number) {
  const start = performance.now();
  while (performance.now() - start < milliseconds);
}

test("many changes are drawn once, from the newest state", () => {
  const store = new Store(initialState);
  const seen: number[] = [];
  drawEachFrame(store, [({ memoryBytes }) => seen.push(memoryBytes)]);
  for (const memoryBytes of [1, 2, 3]) store.set({ memoryBytes });
  expect(seen).toEqual([]);
  expect(frame()).toBe(true);
  expect(seen).toEqual([3]);
  expect(frame()).toBe(false);
});

test("slow views are spread over frames, and a change in between is drawn by all", () => {
  const store = new Store(initialState);
  const seen: string[] = [];
  const view = (name: string) => (state: { memoryBytes: number }) => {
    seen.push(`${name}${state.memoryBytes}`);
    busy(20);
  };
  drawEachFrame(store, [view("a"), view("b")]);
  store.set({ memoryBytes: 1 });
  frame();
  expect(seen).toEqual(["a1"]);
  store.set({ memoryBytes: 2 });
  while (frame());
  expect(seen).toEqual(["a1", "b2", "a2", "b2"]);
});

test("a change that a view makes is drawn, too", () => {
  const store = new Store(initialState);
  const seen: number[] = [];
  drawEachFrame(store, [
    ({ memoryBytes }) => {
      seen.push(memoryBytes);
      if (memoryBytes === 1) store.set({ memoryBytes: 2 });
    },
  ]);
  store.set({ memoryBytes: 1 });
  while (frame());
  expect(seen).toEqual([1, 2]);
});

test("a view that throws does not stop the ones after it for good", () => {
  const store = new Store(initialState);
  let drawn = 0;
  drawEachFrame(store, [
    () => {
      if (drawn === 0) throw new Error("on purpose");
    },
    () => drawn++,
  ]);
  store.set({ memoryBytes: 1 });
  expect(frame).toThrow("on purpose");
  store.set({ memoryBytes: 2 });
  while (frame());
  expect(drawn).toBeGreaterThan(0);
});
