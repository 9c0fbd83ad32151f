/**
 * Hooks for benchmarks and tests, as `window.__overfitLab`. They are loaded only when a program drives the browser, never for
 * people.
 */
import type { Catalogue, EpochMetrics, Experiment } from "overfit-lab";
import type { Lab } from "../lab";
import type { Look } from "../protocol";
import { shownRun, type Store } from "../store";

declare global {
  interface Window {
    __overfitLab: {
      /** Metrics of the last epoch of the shown run, or null. */
      metrics(): EpochMetrics | null;
      /** Milliseconds of each epoch of the shown run, measured in the worker. */
      epochMilliseconds(): number[];
      /** Losses of the shown run, to the last bit. */
      losses(): number[];
      /** Presets and limits, as the page received them. */
      catalogue(): Catalogue | null;
      /** The experiment in the form. */
      experiment(): Experiment | null;
      /** Whether no run is active. */
      idle(): boolean;
      /** Memory of the worker's wasm instance, from its last message. */
      memoryBytes(): number;
      /** The output of a layer for an image and its gradient, from the network of the shown run. */
      look(layer: number, image: number): Promise<Look>;
      /** Makes the active run trap in its worker; false if there is none. */
      crashWorker(): boolean;
    };
  }
}

export function exposeHooks(lab: Lab, store: Store) {
  const history = () => shownRun(store.state)?.history ?? null;
  const column = (values: ArrayLike<number> | undefined) => Array.from(values ?? []).slice(0, history()?.length ?? 0);
  window.__overfitLab = {
    metrics: () => history()?.last ?? null,
    epochMilliseconds: () => column(history()?.milliseconds),
    losses: () => column(history()?.loss),
    catalogue: () => store.state.catalogue,
    experiment: () => store.state.form?.experiment ?? null,
    idle: () => store.state.activeId === null,
    memoryBytes: () => store.state.memoryBytes,
    look: (layer, image) => lab.look(layer, image),
    crashWorker: () => lab.crashWorker(),
  };
}
