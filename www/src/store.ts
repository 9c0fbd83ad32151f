/** What the page knows, as plain data, and who is told when it changes. Nothing here is changed in place but the columns of a history. */
import type {
  Catalogue,
  Change,
  Description,
  Experiment,
  FormGroup,
  InvalidField,
  Preset,
  RunEvent,
  RunResult,
} from "overfit-lab";
import type { History } from "./history";
import type { Preview, RunId } from "./protocol";

export type Phase = "waiting" | "running" | "paused" | "stopping" | "ended" | "failed";

/** The learning rate that a person set, and the first epoch that was trained with it. */
export interface RateStep {
  epoch: number;
  rate: number;
}

export interface Run {
  id: RunId;
  presetId: string;
  /** Whether it began as the preset without its mistake. */
  mended: boolean;
  experiment: Experiment;
  changes: Change[];
  backend: string;
  phase: Phase;
  /** Grows in place as epochs come; `epochs` says how far this record has read it. */
  history: History;
  epochs: number;
  /** The experiment's own learning rate, and after it each one that was set by hand. */
  rates: RateStep[];
  events: RunEvent[];
  result: RunResult | null;
  /** Ticked: drawn as a thin line beneath the curves of the run on stage. */
  compared: boolean;
}

/** An entry that the experiment cannot hold: where it was made, and what is wrong with it. */
export interface RefusedEntry {
  field: string;
  problem: InvalidField;
}

/** The experiment that the controls show, and what is wrong with what was entered. */
export interface Form {
  presetId: string;
  /** Whether it began as the preset without its mistake. */
  mended: boolean;
  experiment: Experiment;
  /** Every field of the experiment that has no control of its own. */
  groups: FormGroup[];
  backend: string;
  /** Of the last valid state. */
  description: Description | null;
  /** Problems of the experiment as it is. */
  problems: InvalidField[];
  /** Entries that the experiment cannot hold, which therefore are not in it. */
  refused: RefusedEntry[];
  /** What was typed, by field, for as long as it has not been accepted. */
  typed: ReadonlyMap<string, string>;
}

export interface Fault {
  sentence: string;
  /** The run that it ended, to be started again; null when the page itself could not load. */
  runId: RunId | null;
}

export interface State {
  catalogue: Catalogue | null;
  /** The id of the framework whose code is shown. */
  framework: string | null;
  form: Form | null;
  /** How many values of a field are on their way to Rust; a field without any is not among the keys. */
  pending: ReadonlyMap<string, number>;
  runs: Run[];
  /** The run on stage, and the run that is not over; often the same. */
  shownId: RunId | null;
  activeId: RunId | null;
  /** The run whose network the worker still has, so that it can be trained further. */
  keptId: RunId | null;
  /** The images and labels on the page, and the key of the dataset they come from. */
  preview: { key: string; data: Preview } | null;
  selectedImage: number | null;
  logarithmicEpochs: boolean;
  tableOpen: boolean;
  fault: Fault | null;
  memoryBytes: number;
}

export const initialState: State = {
  catalogue: null,
  framework: null,
  form: null,
  pending: new Map(),
  runs: [],
  shownId: null,
  activeId: null,
  keptId: null,
  preview: null,
  selectedImage: null,
  logarithmicEpochs: true,
  tableOpen: false,
  fault: null,
  memoryBytes: 0,
};

export class Store {
  private listeners: ((state: State) => void)[] = [];
  constructor(private current: State) {}

  get state(): State {
    return this.current;
  }
  set(change: Partial<State>) {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) listener(this.current);
  }
  setForm(change: Partial<Form>) {
    if (this.current.form !== null) this.set({ form: { ...this.current.form, ...change } });
  }
  changeRun(id: RunId, change: Partial<Run>) {
    this.set({ runs: this.current.runs.map((run) => (run.id === id ? { ...run, ...change } : run)) });
  }
  /** One value more, or less, is on its way. */
  addPending(field: string, count: 1 | -1) {
    const pending = new Map(this.current.pending);
    const left = (pending.get(field) ?? 0) + count;
    if (left > 0) pending.set(field, left);
    else pending.delete(field);
    this.set({ pending });
  }
  subscribe(listener: (state: State) => void) {
    this.listeners.push(listener);
  }
}

export function findRun(state: State, id: RunId | null): Run | null {
  return state.runs.find((run) => run.id === id) ?? null;
}
/** The run on stage; without one the stage shows what Train would begin. */
export const shownRun = (state: State) => findRun(state, state.shownId);
export const activeRun = (state: State) => findRun(state, state.activeId);
export const isOver = ({ phase }: Run) => phase === "ended" || phase === "failed";

/** Experiments with the same key train on the same images and labels. */
export function datasetKey({ dataset, seed }: Experiment): string {
  return JSON.stringify([dataset, seed]);
}

/** The experiment of the run on stage, or else the one in the form. */
export function stagedExperiment(state: State): Experiment | null {
  return shownRun(state)?.experiment ?? state.form?.experiment ?? null;
}

const withoutRate = ({ training, ...rest }: Experiment) => JSON.stringify([rest, { ...training, learning_rate: 0 }]);

/** Whether the form holds something other than what a run trains, or trained. The rates of a run are all its own. */
export function changedSince({ experiment, backend }: Form, run: Run): boolean {
  const rate = experiment.training.learning_rate;
  return (
    backend !== run.backend ||
    withoutRate(experiment) !== withoutRate(run.experiment) ||
    // Before the first epoch with it, a rate that was just set is in no step yet.
    (isOver(run) && rate !== run.rates[0]?.rate && rate !== run.rates.at(-1)?.rate)
  );
}

/** Whether the run on stage can be trained on after its end: while the worker has its network, and the form is still its own. */
export function canGoOn(state: State): boolean {
  const run = shownRun(state);
  const { form, activeId, keptId } = state;
  return (
    form !== null &&
    run !== null &&
    activeId === null &&
    keptId === run.id &&
    run.phase === "ended" &&
    run.epochs > 0 &&
    // Such a run is over for good, with the weights of its best epoch.
    run.experiment.training.early_stopping.type === "none" &&
    !changedSince(form, run)
  );
}

/** Whether a new learning rate is for the run under way as well: only while the form, the stage and that run are one. */
export function ratesAreLive(state: State): boolean {
  const run = activeRun(state);
  const { form, shownId } = state;
  return run !== null && form !== null && run.phase !== "stopping" && shownId === run.id && !changedSince(form, run);
}

export function presetName(state: State, presetId: string): string {
  return findPreset(state, presetId)?.name ?? presetId;
}

export function findPreset(state: State, presetId: string | undefined): Preset | null {
  return state.catalogue?.presets.find((preset) => preset.id === presetId) ?? null;
}

/** What a run, or the form, is called: its preset, and whether it began without the preset's mistake. */
export function nameOf(state: State, { presetId, mended }: Pick<Run, "presetId" | "mended">): string {
  const name = presetName(state, presetId);
  return mended ? `${name}, mended` : name;
}
