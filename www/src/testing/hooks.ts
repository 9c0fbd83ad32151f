/**
 * What benchmarks and tests may read and do, as `window.__overfitLab`. It is loaded where a program drives the browser, and not
 * for people.
 */
import type { Catalogue, EpochMetrics, Experiment } from "overfit-lab";
import type { Lab } from "../lab";
import type { Look } from "../protocol";
import { shownRun, type Store } from "../store";

declare global {
  interface Window {
    __overfitLab: {
      /** Metrics of the last epoch of the run that is shown, or null. */
      metrics(): EpochMetrics | null;
      /** Milliseconds of each epoch of that run, as measured in the worker. */
      epochMilliseconds(): number[];
      /** Losses of that run, to the last bit. */
      losses(): number[];
      /** Presets and limits, as the page got them. */
      catalogue(): Catalogue | null;
      /** What the controls hold. */
      experiment(): Experiment | null;
      /** Whether no run is under way. */
      idle(): boolean;
      /** Memory of the worker's wasm instance, as it last said. */
      memoryBytes(): number;
      /** The output of a layer for an image, and the gradient, from the network of the run that is shown. */
      look(layer: number, image: number): Promise<Look>;
      /** Makes the run under way trap in its worker; false when there is none. */
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
