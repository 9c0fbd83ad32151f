/** Carries out the intents of the views, by asking the workers and changing the store. */
import type { Look } from "../protocol";
import type { Store } from "../store";
import { WorkerPool } from "../worker-pool";
import { AddressLab } from "./address";
import { FormLab } from "./form";
import { ImagesLab } from "./images";
import type { Intents } from "./intents";
import { Queue } from "./queue";
import { RunsLab } from "./runs";
import { UndoLab } from "./undo";

/** One run trains at a time. */
const TRAINERS = 1;

export interface Lab {
  intents: Intents;
  /** Puts the first preset into the form. */
  boot(): Promise<void>;
  /** The output of a layer of the shown run, for one of the run's images. */
  look(layer: number, image: number): Promise<Look>;
  /** Only for tests. */
  crashWorker(): boolean;
}

export function openLab(store: Store, wantedBackend: string | null): Lab {
  const pool = new WorkerPool(TRAINERS, {
    heard: (message) => runs.heard(message),
    faulted: (runId, cause) => runs.faulted(runId, cause),
    abandoned: (runId) => runs.abandoned(runId),
  });
  const queue = new Queue();
  const images = new ImagesLab(store, pool);
  const form = new FormLab(store, pool, images, queue, new UndoLab(store), wantedBackend);
  const address = new AddressLab(store);
  const runs = new RunsLab(store, pool, form, images, queue);
  runs.onSecondRun = () => address.offerTab("runs");
  const intents: Intents = {
    choosePreset: (id) => form.choosePreset(id),
    setMended: async (mended) => {
      await form.setMended(mended);
      if (mended) await runs.train();
    },
    edit: (field, value, continues) => form.edit(field, value, continues),
    resetField: (field) => form.resetField(field),
    newSeed: () => form.newSeed(),
    chooseBackend: (backend) => form.chooseBackend(backend),
    undo: () => form.travel("past"),
    redo: () => form.travel("future"),
    train: (start) => runs.train(start),
    pauseOrResume: () => runs.pauseOrResume(),
    prolong: (epochs) => runs.prolong(epochs, "run"),
    step: () => runs.step(),
    stop: () => runs.stop(),
    startAgain: () => runs.startAgain(),
    restore: (id) => runs.restore(id),
    compare: (id, compared) => store.compareRun(id, compared),
    lift: (liftedId) => store.set({ liftedId }),
    remove: (id) => runs.remove(id),
    chooseFramework: (framework) => store.set({ framework }),
    selectImage: (selectedImage) => store.set({ selectedImage }),
    setLogarithmicEpochs: (logarithmicEpochs) => store.set({ logarithmicEpochs }),
    setTableOpen: (tableOpen) => store.set({ tableOpen }),
    openTab: (tab) => address.openTab(tab),
    setSheetOpen: (sheetOpen) => store.set({ sheetOpen }),
  };
  return {
    intents,
    boot: () => form.boot(),
    look: (layer, image) => runs.look(layer, image),
    crashWorker: () => runs.crashWorker(),
  };
}
