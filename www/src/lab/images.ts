/** Loads the images and labels of the run on stage, or of the form if there is none. */
import type { Preview } from "../protocol";
import { datasetKey, stagedExperiment, type Store } from "../store";
import type { WorkerPool } from "../worker-pool";

const PREVIEWS_KEPT = 4;

export class ImagesLab {
  private readonly previews = new Map<string, Preview>();

  constructor(
    private readonly store: Store,
    private readonly pool: WorkerPool,
  ) {}

  async show() {
    const experiment = stagedExperiment(this.store.state);
    if (experiment === null) return;
    const key = datasetKey(experiment);
    if (this.store.state.preview?.key === key) return;
    const data = this.previews.get(key) ?? (await this.pool.ask("preview", { experiment }));
    if (data === null) return;
    this.previews.set(key, data);
    for (const old of this.previews.keys()) if (this.previews.size > PREVIEWS_KEPT) this.previews.delete(old);
    this.store.set({ preview: { key, data } });
  }
}
