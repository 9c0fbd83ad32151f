/** Chooses and edits the experiment in the form, which Rust describes. */
import type { Catalogue, Experiment, Preset } from "overfit-lab";
import { entriesAfter, isValid, valuesOf } from "../problems";
import type { FieldValue } from "../protocol";
import { datasetKey, findPreset, isOver, ratesAreLive, type Run, shownRun, type Store } from "../store";
import type { WorkerPool } from "../worker-pool";
import type { ImagesLab } from "./images";
import type { Queue } from "./queue";
import type { UndoLab } from "./undo";

const RATE = "training.learning_rate";

export class FormLab {
  /** Called with a new learning rate for the active run. */
  onLiveRate: (rate: number) => void = () => {};

  /** The values of each preset's settings, with its mistake or without. */
  private readonly originals = new Map<Experiment, ReadonlyMap<string, string>>();

  constructor(
    private readonly store: Store,
    private readonly pool: WorkerPool,
    private readonly images: ImagesLab,
    private readonly queue: Queue,
    private readonly undo: UndoLab,
    private readonly wantedBackend: string | null,
  ) {}

  boot() {
    return this.queue.add(async () => {
      const catalogue = await this.pool.ask("catalogue", null);
      const [first] = catalogue.presets;
      const wanted = catalogue.backends.find(({ id }) => id === this.wantedBackend);
      const backend = wanted ?? catalogue.backends[0];
      if (first === undefined || backend === undefined) return;
      const notice =
        this.wantedBackend === null || wanted !== undefined
          ? null
          : unknownBackend(this.wantedBackend, catalogue.backends, backend.id);
      this.store.set({ catalogue, framework: catalogue.frameworks[0]?.id ?? null, notice });
      await this.put({ presetId: first.id, mended: false, experiment: first.experiment, backend: backend.id });
    });
  }

  choosePreset(id: string) {
    return this.queue.add(async () => {
      const { form } = this.store.state;
      const preset = findPreset(this.store.state, id);
      if (preset === null || form === null) return;
      this.remember();
      this.clearStage();
      await this.put({ presetId: id, mended: false, experiment: preset.experiment, backend: form.backend });
    });
  }

  /** Fixes the preset's mistake or undoes the fix. The curves on the chart stay as thin lines, to compare with. */
  setMended(mended: boolean) {
    return this.queue.add(async () => {
      const { form } = this.store.state;
      const preset = findPreset(this.store.state, form?.presetId);
      if (form === null || preset === null || preset.mistake === null) return;
      this.remember();
      const shown = shownRun(this.store.state);
      if (shown?.presetId === preset.id && shown.epochs > 0) this.store.compareRun(shown.id, true);
      this.clearStage();
      const experiment = mended ? preset.mistake.mended : preset.experiment;
      await this.put({ presetId: preset.id, mended, experiment, backend: form.backend });
    });
  }

  /** Remembers the form for Undo, before something replaces it. */
  remember() {
    this.undo.remember(this.store.state.form);
  }

  /** Undoes the last change, or does the last undone one again. */
  travel(way: "past" | "future") {
    void this.queue.add(async () => {
      const before = this.store.state.form;
      const setup = this.undo.take(way);
      if (setup === null || before === null) return;
      if (setup.presetId !== before.presetId || setup.mended !== before.mended) this.clearStage();
      await this.put(setup);
      this.makeRoomForImages(setup.experiment);
      // As any other rate that is set during a run.
      const { learning_rate } = setup.experiment.training;
      if (learning_rate !== before.experiment.training.learning_rate && ratesAreLive(this.store.state))
        this.onLiveRate(learning_rate);
      await this.images.show();
    });
  }

  chooseBackend(backend: string) {
    this.remember();
    this.store.setForm({ backend });
  }

  edit(field: string, value: FieldValue, continues = false) {
    this.store.addPending(field, 1);
    return this.queue
      .add(async () => {
        const { form } = this.store.state;
        if (form === null) return;
        const live = ratesAreLive(this.store.state);
        const ask = { experiment: form.experiment, presetId: form.presetId, field, value };
        const { refused, ...answer } = await this.pool.ask("edit", ask);
        if (JSON.stringify(answer.experiment) !== JSON.stringify(form.experiment))
          this.undo.remember(form, field, continues);
        const entries = entriesAfter(form, { field, value, refused, groups: answer.groups });
        this.store.setForm({ ...answer, description: answer.description ?? form.description, ...entries });
        if (field === RATE && live && isValid({ ...answer, ...entries }))
          this.onLiveRate(answer.experiment.training.learning_rate);
        this.makeRoomForImages(answer.experiment);
        if (answer.description !== null) await this.images.show();
      })
      .finally(() => this.store.addPending(field, -1));
  }

  /** Puts a run's new number of epochs into the form. */
  followEpochs(epochs: number) {
    return this.edit("training.epochs", epochs);
  }

  async resetField(field: string) {
    const { form } = this.store.state;
    const preset = findPreset(this.store.state, form?.presetId);
    if (form === null || preset === null) return;
    const value = valueAt(originalOf(preset, form.mended), field);
    if (value !== undefined) await this.edit(field, value);
  }

  newSeed() {
    void this.queue.add(async () => {
      const seed = await this.pool.ask("newSeed", null);
      void this.edit("seed", seed);
    });
  }

  /** Puts an experiment into the form. */
  async put(of: Pick<Run, "presetId" | "mended" | "experiment" | "backend">) {
    const { presetId, mended, experiment, backend } = of;
    // Shown immediately, so that no control changes while a person uses it; Rust's description follows.
    const { description = null, groups = [], original = new Map<string, string>() } = this.store.state.form ?? {};
    const entries = { problems: [], refused: [], typed: new Map<string, string>() };
    this.store.set({ form: { presetId, mended, experiment, groups, backend, original, description, ...entries } });
    await this.describe();
  }

  async describe() {
    const { form } = this.store.state;
    if (form === null) return;
    const { experiment, presetId } = form;
    const answer = await this.pool.ask("describe", { experiment, presetId });
    const { problems, groups, description } = answer;
    this.store.setForm({ problems, groups, description: description ?? form.description });
    await this.images.show();
    await this.showOriginal();
  }

  /** Puts the values of the preset's own settings beside those of the form. */
  private async showOriginal() {
    const { form } = this.store.state;
    const preset = findPreset(this.store.state, form?.presetId);
    if (form === null || preset === null) return;
    const experiment = originalOf(preset, form.mended);
    let original = this.originals.get(experiment);
    if (original === undefined) {
      const { groups } = await this.pool.ask("describe", { experiment, presetId: preset.id });
      original = valuesOf(groups);
      this.originals.set(experiment, original);
    }
    this.store.setForm({ original });
  }

  /** Makes the stage show the run that Train would begin, unless a run is active. */
  private clearStage() {
    if (this.store.state.activeId === null) this.store.set({ shownId: null, selectedImage: null });
  }

  /** Removes a run that is over from the stage if the form has other images; its curves stay as thin lines. */
  private makeRoomForImages(experiment: Experiment) {
    const shown = shownRun(this.store.state);
    if (shown === null || !isOver(shown) || datasetKey(shown.experiment) === datasetKey(experiment)) return;
    this.store.compareRun(shown.id, true);
    this.clearStage();
  }
}

/** A sentence on a backend that the address of the page asks for and that does not exist. */
function unknownBackend(given: string, backends: Catalogue["backends"], used: string): string {
  const ids = new Intl.ListFormat("en", { type: "disjunction" }).format(backends.map(({ id }) => id));
  const most = 80;
  const shown = given.length > most ? `${given.slice(0, most)}…` : given;
  return `The address asks for the backend “${shown}”, which is not one of this page's (${ids}), so ${used} is used.`;
}

/** The experiment that a preset begins with. */
const originalOf = (preset: Preset, mended: boolean) =>
  mended ? (preset.mistake?.mended ?? preset.experiment) : preset.experiment;

/** A field's value as a person would enter it. For the biases of all layers of a kind, it is that of the first layer. */
function valueAt(experiment: Experiment, field: string): FieldValue | undefined {
  const kind = { "network.conv_bias": "conv2d", "network.dense_bias": "dense" }[field];
  if (kind !== undefined)
    return experiment.network.layers.flatMap((layer) =>
      layer.type === kind && "use_bias" in layer ? [layer.use_bias] : [],
    )[0];
  let value: unknown = experiment;
  for (const name of field.replaceAll(/\[(\d+)\]/g, ".$1").split("."))
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
