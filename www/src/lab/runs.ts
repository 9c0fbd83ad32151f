/** Begins runs, sends them commands, follows them and keeps them. */
import type { Change } from "overfit-lab";
import { History, keepWithin } from "../history";
import { isValid } from "../problems";
import { type Command, type FromWorker, IMAGES_SHOWN, type Job, type Look, type RunId } from "../protocol";
import {
  activeRun,
  canGoOn,
  changedSince,
  findRun,
  type Form,
  isOver,
  type RateStep,
  type Run,
  shownRun,
  type Store,
} from "../store";
import { type Heard, Unanswered, type WorkerPool } from "../worker-pool";
import type { FormLab } from "./form";
import type { ImagesLab } from "./images";
import type { Queue } from "./queue";

const EARLIER_RUNS_BYTES = 64e6;
const EVENTS_KEPT = 500;

export class RunsLab {
  /** Called when there are two runs to compare. */
  onSecondRun: () => void = () => {};
  private nextRun: RunId = 1;
  /** Runs to remove from the table as soon as they are over. */
  private readonly dropped = new Set<RunId>();

  constructor(
    private readonly store: Store,
    private readonly pool: WorkerPool,
    private readonly form: FormLab,
    private readonly images: ImagesLab,
    private readonly queue: Queue,
  ) {
    form.onLiveRate = (learningRate) => this.commandActive({ type: "set_learning_rate", learningRate });
  }

  async train(start: Job["start"] = "run"): Promise<Form | null> {
    await this.queue.settled();
    const { form } = this.store.state;
    if (form === null || !isValid(form)) return form;
    const active = activeRun(this.store.state);
    this.begin({ ...form, changes: form.description?.changes ?? [] }, start);
    if (active !== null && repeats(form, active)) this.dropWhenOver(active.id);
    return null;
  }

  pauseOrResume() {
    const phase = activeRun(this.store.state)?.phase;
    if (phase === "running") this.commandActive({ type: "pause" });
    if (phase === "paused") this.commandActive({ type: "resume" });
  }

  prolong(epochs: number, start: Job["start"]) {
    const run = shownRun(this.store.state);
    if (run === null || !canGoOn(this.store.state)) return;
    if (!this.pool.revive(run.id, { type: "prolong", epochs, start })) return;
    const training = { ...run.experiment.training, epochs };
    const experiment = { ...run.experiment, training };
    this.store.changeRun(run.id, { experiment, phase: "running", result: null });
    this.store.set({ activeId: run.id });
    void this.form.followEpochs(epochs).then(() => {
      // Of the differences from the preset, only the number of epochs is new.
      const isEpochs = ({ field }: Change) => field === "training.epochs";
      const now = this.store.state.form?.description?.changes.filter(isEpochs) ?? [];
      this.store.changeRun(run.id, { changes: [...run.changes.filter((change) => !isEpochs(change)), ...now] });
    });
  }

  step(): Promise<Form | null> {
    const { state } = this.store;
    const shown = shownRun(state);
    if (activeRun(state) === null && shown !== null && canGoOn(state)) {
      this.prolong(Math.max(shown.experiment.training.epochs, shown.epochs + 1), "step");
      return Promise.resolve(null);
    }
    if (activeRun(state) === null) return this.train("step");
    this.commandActive({ type: "step" });
    return Promise.resolve(null);
  }

  stop() {
    const run = activeRun(this.store.state);
    if (run !== null) this.stopRun(run);
  }

  startAgain() {
    const { fault, catalogue } = this.store.state;
    const run = findRun(this.store.state, fault?.runId ?? null);
    this.store.set({ fault: null });
    if (run !== null) this.begin(run, "run");
    else if (catalogue === null) void this.form.boot();
    else void this.queue.add(() => this.form.describe());
  }

  restore(id: RunId) {
    return this.queue.add(async () => {
      const run = findRun(this.store.state, id);
      if (run === null) return;
      this.store.set({ shownId: id });
      const { rate } = run.rates.at(-1) ?? { rate: run.experiment.training.learning_rate };
      // The form of an active run gets the rate that it trains with now.
      const training = { ...run.experiment.training, learning_rate: isOver(run) ? (run.rates[0]?.rate ?? rate) : rate };
      this.form.remember();
      await this.form.put({ ...run, experiment: { ...run.experiment, training } });
    });
  }

  remove(id: RunId) {
    const run = findRun(this.store.state, id);
    if (run !== null && isOver(run)) this.forget(id);
  }

  /** Asks the shown run, active or just ended; rejects with the reason if there is no network to answer. */
  look(layer: number, image: number): Promise<Look> {
    const { shownId } = this.store.state;
    if (shownId === null) return Promise.reject(new Unanswered("no run is shown"));
    return this.pool.ask("look", { runId: shownId, layer, image });
  }

  /** Makes the active run trap at its next epoch; returns whether there is one. */
  crashWorker(): boolean {
    return this.commandActive({ type: "crash" });
  }

  heard(message: Heard) {
    switch (message.type) {
      case "ready":
        return this.store.set({ memoryBytes: message.memoryBytes });
      case "epochs":
        return this.heardEpochs(message);
      case "stopped":
        return;
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
        const others = (this.store.state.form?.refused ?? []).filter((entry) => entry.field !== field);
        return this.store.setForm({ refused: [...others, { field, problem: message.problem }] });
      }
    }
  }

  faulted(runId: RunId | null, cause: string) {
    const run = findRun(this.store.state, runId);
    if (run === null) {
      const sentence = `The training engine did not load (${cause}): press “Start again” to load it again.`;
      return this.store.set({ fault: { sentence, runId: null } });
    }
    const after = run.history.last === null ? "before its first epoch" : `after epoch ${run.history.last.epoch}`;
    const sentence = `The run failed ${after} (${cause}): press “Start again” to train it again.`;
    this.store.set({ fault: { sentence, runId } });
    this.endRun(run.id, "failed");
  }

  /** Ends a run that was stopped in the middle of a step: its result is unknown. */
  abandoned(runId: RunId) {
    this.endRun(runId, "abandoned");
  }

  private begin(of: Pick<Run, "presetId" | "mended" | "experiment" | "changes" | "backend">, start: Job["start"]) {
    const active = activeRun(this.store.state);
    if (active !== null) this.stopRun(active);
    const { presetId, mended, experiment, changes, backend } = of;
    const id = this.nextRun++;
    const run: Run = {
      id,
      presetId,
      mended,
      experiment,
      changes,
      backend,
      history: new History(Math.min(experiment.dataset.images, IMAGES_SHOWN)),
      epochs: 0,
      phase: "waiting",
      rates: [{ epoch: 1, rate: experiment.training.learning_rate }],
      events: [],
      result: null,
      compared: false,
      slot: null,
    };
    this.compareWithLast(of);
    this.store.set({ runs: [...this.store.state.runs, run], shownId: id, activeId: id, fault: null });
    if (this.store.state.runs.length === 2) this.onSecondRun();
    void this.queue.add(() => this.images.show());
    this.pool.train(id, experiment, backend, start);
  }

  /** A new run is compared by itself with the one on stage, if that is of the same preset and has other settings. */
  private compareWithLast(of: Pick<Run, "presetId" | "experiment" | "backend">) {
    const last = shownRun(this.store.state);
    const { form } = this.store.state;
    const isOther = form !== null && last !== null && changedSince({ ...form, ...of }, last);
    if (isOther && last.presetId === of.presetId && last.epochs > 0) this.store.compareRun(last.id, true);
  }

  private stopRun(run: Run) {
    if (this.pool.cancel(run.id)) return this.forget(run.id);
    this.pool.stop(run.id, run.history.length === 0 ? null : run.history.recentMilliseconds());
    this.store.changeRun(run.id, { phase: "stopping" });
  }

  private dropWhenOver(id: RunId) {
    const run = findRun(this.store.state, id);
    if (run !== null && isOver(run)) this.forget(id);
    else if (run !== null) this.dropped.add(id);
  }

  private forget(id: RunId) {
    const { runs, shownId, activeId } = this.store.state;
    this.store.set({
      runs: runs.filter((run) => run.id !== id),
      shownId: shownId === id ? null : shownId,
      activeId: activeId === id ? null : activeId,
    });
    void this.queue.add(() => this.images.show());
  }

  private commandActive(command: Command): boolean {
    const run = activeRun(this.store.state);
    if (run !== null) this.pool.command(run.id, command);
    return run !== null;
  }

  private heardEpochs({ runId, reports, memoryBytes }: Extract<FromWorker, { type: "epochs" }>) {
    const run = findRun(this.store.state, runId);
    if (run === null) return;
    const rates: RateStep[] = [];
    for (const { metrics } of reports) {
      run.history.push(metrics);
      const before = rates.at(-1) ?? run.rates.at(-1);
      const rate = metrics.base_learning_rate;
      if (rate !== before?.rate) rates.push({ epoch: metrics.epoch, rate });
    }
    const events = reports.flatMap((report) => report.events).slice(0, EVENTS_KEPT - run.events.length);
    this.store.set({ memoryBytes });
    this.store.changeRun(runId, {
      epochs: run.history.length,
      phase: run.phase === "waiting" ? "running" : run.phase,
      ...(events.length > 0 ? { events: [...run.events, ...events] } : {}),
      ...(rates.length > 0 ? { rates: [...run.rates, ...rates] } : {}),
    });
  }

  private setPhase(id: RunId, phase: Run["phase"]) {
    if (findRun(this.store.state, id)?.phase !== "stopping") this.store.changeRun(id, { phase });
  }

  private endRun(id: RunId, phase: "ended" | "abandoned" | "failed") {
    findRun(this.store.state, id)?.history.close();
    this.store.changeRun(id, { phase });
    if (this.store.state.activeId === id) this.store.set({ activeId: null });
    this.store.set({ keptId: phase === "ended" ? id : null });
    if (this.dropped.delete(id)) return this.forget(id);
    const { runs, shownId } = this.store.state;
    const earlier = runs.filter((run) => run.id !== shownId && run.id !== id);
    keepWithin(
      EARLIER_RUNS_BYTES,
      earlier.map((run) => run.history),
    );
    void this.queue.add(() => this.images.show());
  }
}

/** Whether a new run of the form repeats the numbers of a run without any events, so that the old one need not be kept. */
function repeats(form: Form, run: Run): boolean {
  const sameRate = run.rates.length === 1 && run.rates[0]?.rate === form.experiment.training.learning_rate;
  return sameRate && run.events.length === 0 && !run.compared && !changedSince(form, run);
}
