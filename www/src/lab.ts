/** What the page can do: the intents of the views, carried out by asking the workers and changing the store. */
import { History, keepWithin } from "./history";
import { entriesAfter } from "./problems";
import {
  type Command,
  type FieldValue,
  type FromWorker,
  IMAGES_SHOWN,
  type Job,
  type Preview,
  type RunId,
} from "./protocol";
import { activeRun, datasetKey, findPreset, findRun, type Run, shownRun, type Store } from "./store";
import { DeskFault, WorkerPool, type Heard } from "./worker-pool";

/** One run trains at a time. */
const TRAINERS = 1;
const EARLIER_RUNS_BYTES = 64e6;
const PREVIEWS_KEPT = 4;
const EVENTS_KEPT = 500;

export type Intents = Omit<Lab, "boot" | "crashWorker">;

export class Lab {
  private readonly pool: WorkerPool;
  private readonly previews = new Map<string, Preview>();
  private nextRun: RunId = 1;
  /** Edits are made one after the other, each on what the one before it gave. */
  private edits: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: Store,
    private readonly wantedBackend: string | null,
  ) {
    this.pool = new WorkerPool(TRAINERS, {
      heard: (message) => this.heard(message),
      faulted: (runId, cause) => this.faulted(runId, cause),
    });
  }

  boot() {
    return this.inOrder(async () => {
      const catalogue = await this.pool.ask("catalogue", null);
      const [first] = catalogue.presets;
      const backend = catalogue.backends.find(({ id }) => id === this.wantedBackend) ?? catalogue.backends[0];
      if (first === undefined || backend === undefined) return;
      this.store.set({ catalogue, framework: catalogue.frameworks[0]?.id ?? null });
      await this.putInForm({ presetId: first.id, mended: false, experiment: first.experiment, backend: backend.id });
    });
  }

  choosePreset(id: string) {
    return this.inOrder(async () => {
      const { form, activeId } = this.store.state;
      const preset = findPreset(this.store.state, id);
      if (preset === null || form === null) return;
      if (activeId === null) this.store.set({ shownId: null, selectedImage: null });
      const { backend } = form;
      await this.putInForm({ presetId: id, mended: false, experiment: preset.experiment, backend });
    });
  }

  /**
   * Puts the preset in the form without its mistake, or with it again. What was on the chart stays there as a thin line, to
   * compare with.
   */
  setMended(mended: boolean) {
    return this.inOrder(async () => {
      const { form, activeId } = this.store.state;
      const preset = findPreset(this.store.state, form?.presetId);
      if (form === null || preset === null || preset.mistake === null) return;
      const shown = shownRun(this.store.state);
      if (activeId === null) {
        if (shown?.presetId === preset.id) this.store.changeRun(shown.id, { compared: true });
        this.store.set({ shownId: null, selectedImage: null });
      }
      const experiment = mended ? preset.mistake.mended : preset.experiment;
      await this.putInForm({ presetId: preset.id, mended, experiment, backend: form.backend });
    });
  }

  /** Enters a value in a field. What is refused stays as it was typed, with the problem beside it. */
  edit(field: string, value: FieldValue) {
    return this.inOrder(async () => {
      const { form } = this.store.state;
      if (form === null) return;
      const asked = { experiment: form.experiment, presetId: form.presetId, field, value };
      const { experiment, refused, problems, groups, description } = await this.pool.ask("edit", asked);
      const entries = entriesAfter(form, { field, value, refused, groups });
      this.store.setForm({ experiment, problems, groups, description: description ?? form.description, ...entries });
      const valid = problems.length === 0 && refused === null;
      if (field === "training.learning_rate" && valid) this.changeRateOfActive(experiment.training.learning_rate);
      if (valid) await this.showImages();
      // Controls wait for the answer to their last edit before they show the state again.
      this.store.set({});
    });
  }

  newSeed() {
    void this.inOrder(async () => {
      const seed = await this.pool.ask("newSeed", null);
      void this.edit("seed", seed);
    });
  }

  chooseFramework(framework: string) {
    this.store.set({ framework });
  }

  chooseBackend(backend: string) {
    this.store.setForm({ backend });
  }

  /** Starts the experiment in the form, in place of the run under way. With an invalid field it starts nothing and goes there. */
  async train(start: Job["start"] = "run") {
    await this.settled();
    const { form } = this.store.state;
    if (form === null) return;
    if (form.unheld.length + form.problems.length > 0)
      return this.store.set({ problemCalls: this.store.state.problemCalls + 1 });
    this.begin({ ...form, changes: form.description?.changes ?? [] }, start);
  }

  pauseOrResume() {
    const run = activeRun(this.store.state);
    if (run?.phase === "running") this.command(run, { type: "pause" });
    if (run?.phase === "paused") this.command(run, { type: "resume" });
  }

  /** One epoch: of the run under way, or the first of a new one. */
  step() {
    const run = activeRun(this.store.state);
    if (run === null) return void this.train("step");
    this.command(run, { type: "step" });
  }

  stop() {
    const run = activeRun(this.store.state);
    if (run !== null) this.stopRun(run);
  }

  startAgain() {
    const { fault } = this.store.state;
    const run = findRun(this.store.state, fault?.runId ?? null);
    this.store.set({ fault: null });
    if (run !== null) this.begin(run, "run");
    else if (this.store.state.catalogue === null) void this.boot();
    else void this.inOrder(() => this.describeForm());
  }

  compare(id: RunId, compared: boolean) {
    this.store.changeRun(id, { compared });
  }

  /** Puts the experiment of an earlier run in the form and its history on the chart. */
  restore(id: RunId) {
    return this.inOrder(async () => {
      const run = findRun(this.store.state, id);
      if (run === null) return;
      this.store.set({ shownId: id });
      await this.putInForm(run);
    });
  }

  selectImage(index: number | null) {
    this.store.set({ selectedImage: index });
  }
  setLogarithmicEpochs(logarithmicEpochs: boolean) {
    this.store.set({ logarithmicEpochs });
  }
  setTableOpen(tableOpen: boolean) {
    this.store.set({ tableOpen });
  }

  /** Makes the training worker trap at its next epoch; whether a run was there to trap. */
  crashWorker(): boolean {
    const run = activeRun(this.store.state);
    if (run !== null) this.pool.command(run.id, { type: "crash" });
    return run !== null;
  }

  private begin(of: Pick<Run, "presetId" | "mended" | "experiment" | "changes" | "backend">, start: Job["start"]) {
    const active = activeRun(this.store.state);
    if (active !== null) this.stopRun(active);
    const { presetId, mended, experiment, changes, backend } = of;
    const history = new History(Math.min(experiment.dataset.images, IMAGES_SHOWN));
    const id = this.nextRun++;
    const run: Run = {
      id,
      presetId,
      mended,
      experiment,
      changes,
      backend,
      history,
      phase: "waiting",
      events: [],
      result: null,
      compared: false,
    };
    this.store.set({ runs: [...this.store.state.runs, run], shownId: id, activeId: id, fault: null });
    void this.inOrder(() => this.showImages());
    this.pool.train(id, experiment, backend, start);
  }

  private stopRun(run: Run) {
    if (this.pool.cancel(run.id)) return this.forget(run.id);
    this.command(run, { type: "stop" });
    this.store.changeRun(run.id, { phase: "stopping" });
  }

  private forget(id: RunId) {
    const { runs, shownId, activeId } = this.store.state;
    this.store.set({
      runs: runs.filter((run) => run.id !== id),
      shownId: shownId === id ? null : shownId,
      activeId: activeId === id ? null : activeId,
    });
  }

  private command(run: Run, command: Command) {
    this.pool.command(run.id, command);
  }

  private changeRateOfActive(learningRate: number) {
    const run = activeRun(this.store.state);
    if (run === null || run.phase === "stopping") return;
    this.command(run, { type: "set_learning_rate", learningRate });
  }

  private heard(message: Heard) {
    switch (message.type) {
      case "ready":
        return this.store.set({ memoryBytes: message.memoryBytes });
      case "epochs":
        return this.heardEpochs(message);
      case "paused":
        return this.setPhase(message.runId, "paused");
      case "resumed":
        return this.setPhase(message.runId, "running");
      case "finished":
        this.store.changeRun(message.runId, { result: message.result });
        return this.endRun(message.runId, "ended");
      case "refused": {
        const run = findRun(this.store.state, message.runId);
        if (run?.phase === "waiting") this.forget(run.id);
        const { field } = message.problem;
        const others = (this.store.state.form?.unheld ?? []).filter((entry) => entry.field !== field);
        return this.store.setForm({ unheld: [...others, { field, problem: message.problem }] });
      }
    }
  }

  private heardEpochs({ runId, reports, memoryBytes }: Extract<FromWorker, { type: "epochs" }>) {
    const run = findRun(this.store.state, runId);
    if (run === null) return;
    for (const { metrics, events } of reports) {
      run.history.push(metrics);
      if (run.events.length < EVENTS_KEPT) run.events.push(...events);
    }
    if (run.phase === "waiting") run.phase = "running";
    this.store.set({ memoryBytes });
  }

  private setPhase(id: RunId, phase: Run["phase"]) {
    if (findRun(this.store.state, id)?.phase !== "stopping") this.store.changeRun(id, { phase });
  }

  private endRun(id: RunId, phase: "ended" | "failed") {
    findRun(this.store.state, id)?.history.close();
    this.store.changeRun(id, { phase });
    if (this.store.state.activeId === id) this.store.set({ activeId: null });
    const { runs, shownId } = this.store.state;
    keepWithin(
      EARLIER_RUNS_BYTES,
      runs.filter((run) => run.id !== shownId && run.id !== id).map((run) => run.history),
    );
    void this.inOrder(() => this.showImages());
  }

  private faulted(runId: RunId | null, cause: string) {
    const run = findRun(this.store.state, runId);
    if (run === null) {
      const sentence = `The training engine did not load (${cause}): press “Start again” to load it anew.`;
      return this.store.set({ fault: { sentence, runId: null } });
    }
    const after = run.history.last === null ? "before its first epoch" : `after epoch ${run.history.last.epoch}`;
    const sentence = `The run failed ${after} (${cause}): press “Start again” to train it anew.`;
    this.store.set({ fault: { sentence, runId } });
    this.endRun(run.id, "failed");
  }

  private async putInForm(of: Pick<Run, "presetId" | "mended" | "experiment" | "backend">) {
    const { presetId, mended, experiment, backend } = of;
    // Shown at once, so that no control changes later under the hand; what Rust has to be asked for follows.
    const { description = null, groups = [] } = this.store.state.form ?? {};
    const entries = { problems: [], unheld: [], typed: new Map<string, string>() };
    this.store.set({ form: { presetId, mended, experiment, groups, backend, description, ...entries } });
    await this.describeForm();
  }

  private async describeForm() {
    const { form } = this.store.state;
    if (form === null) return;
    const { experiment, presetId } = form;
    const { groups, problems, description } = await this.pool.ask("describe", { experiment, presetId });
    this.store.setForm({ groups, problems, description: description ?? form.description });
    if (description !== null) await this.showImages();
  }

  /** Shows the images of the run under way, or else those that Train would train on. */
  private async showImages() {
    const { form } = this.store.state;
    const experiment = activeRun(this.store.state)?.experiment ?? form?.experiment;
    if (experiment === undefined) return;
    const key = datasetKey(experiment);
    if (this.store.state.preview?.key === key) return;
    const data = this.previews.get(key) ?? (await this.pool.ask("preview", { experiment }));
    if (data === null) return;
    this.previews.set(key, data);
    for (const old of this.previews.keys()) if (this.previews.size > PREVIEWS_KEPT) this.previews.delete(old);
    this.store.set({ preview: { key, data } });
  }

  private async settled() {
    let seen: unknown;
    while (seen !== this.edits) await (seen = this.edits);
  }

  private inOrder(task: () => Promise<void>): Promise<void> {
    const done = this.edits.then(task).catch((error: unknown) => {
      // That the desk died has been said by the pool; anything else is a bug here.
      if (!(error instanceof DeskFault)) reportError(error);
    });
    this.edits = done;
    return done;
  }
}
