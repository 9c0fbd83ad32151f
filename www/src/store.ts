/** The page's state, as plain data, and the listeners to its changes. Only the columns of a history are changed in place. */
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
import { freeSlot, MOST_COMPARED } from "./run-colours";
import type { TabId } from "./tabs";

/** An abandoned run was stopped in the middle of a step, so it has no result. */
export type Phase = "waiting" | "running" | "paused" | "stopping" | "ended" | "abandoned" | "failed";

/** The learning rate that a person set, and the first epoch that was trained with it. */
export interface RateStep {
  epoch: number;
  rate: number;
}

export interface Run {
  id: RunId;
  presetId: string;
  /** Whether the experiment began as the preset without its mistake. */
  mended: boolean;
  experiment: Experiment;
  changes: Change[];
  backend: string;
  phase: Phase;
  /** Grows in place with each epoch; `epochs` is its length when this record was made. */
  history: History;
  epochs: number;
  /** The experiment's own learning rate, then each one that was set by hand. */
  rates: RateStep[];
  events: RunEvent[];
  result: RunResult | null;
  /** Whether the run is ticked: its curves are drawn with those of the run on stage. */
  compared: boolean;
  /** The number of its colour and dash while it is ticked. */
  slot: number | null;
}

/** What the form is set to. */
export type Setup = Pick<Run, "presetId" | "mended" | "experiment" | "backend">;
export const setupOf = ({ presetId, mended, experiment, backend }: Setup): Setup => ({
  presetId,
  mended,
  experiment,
  backend,
});

/** An entry that the experiment cannot hold, with its field and its problem. */
export interface RefusedEntry {
  field: string;
  problem: InvalidField;
}

/** The experiment that the controls show, and the problems of the entries. */
export interface Form {
  presetId: string;
  /** Whether the experiment began as the preset without its mistake. */
  mended: boolean;
  experiment: Experiment;
  /** Every field of the experiment that is in "All settings". */
  groups: FormGroup[];
  backend: string;
  /** The values of the preset's own settings, by field. */
  original: ReadonlyMap<string, string>;
  /** The description of the last valid experiment. */
  description: Description | null;
  /** Problems of the experiment's values. */
  problems: InvalidField[];
  /** Entries that the experiment cannot hold, which therefore are not in it. */
  refused: RefusedEntry[];
  /** Typed text that has not been accepted yet, by field. */
  typed: ReadonlyMap<string, string>;
}

export interface Fault {
  sentence: string;
  /** The run that the fault ended, to be started again; null if the page itself could not load. */
  runId: RunId | null;
}

export interface State {
  catalogue: Catalogue | null;
  /** The id of the framework whose code is shown. */
  framework: string | null;
  form: Form | null;
  /** What the form was set to before, and what was undone; the last of each is the next to come. */
  undo: { past: Setup[]; future: Setup[] };
  /** The number of a field's values that Rust has not answered yet; fields without any are no keys. */
  pending: ReadonlyMap<string, number>;
  runs: Run[];
  /** The run on stage, and the run that is not over; often the same. */
  shownId: RunId | null;
  activeId: RunId | null;
  /** The run whose network the worker still has, so that it can go on training. */
  keptId: RunId | null;
  /** The images and labels on the page, with the key of their dataset. */
  preview: { key: string; data: Preview } | null;
  selectedImage: number | null;
  /** The run whose row is pointed at, and whose line is lifted. */
  liftedId: RunId | null;
  logarithmicEpochs: boolean;
  tableOpen: boolean;
  /** The open tab of the bench. */
  tab: TabId | null;
  /** Whether the controls are open, on a page that is too narrow to show them always. */
  sheetOpen: boolean;
  fault: Fault | null;
  /** A sentence on the address of the page, if it asks for what there is not. */
  notice: string | null;
  memoryBytes: number;
}

export const initialState: State = {
  catalogue: null,
  framework: null,
  form: null,
  undo: { past: [], future: [] },
  pending: new Map(),
  runs: [],
  shownId: null,
  activeId: null,
  keptId: null,
  preview: null,
  selectedImage: null,
  liftedId: null,
  logarithmicEpochs: true,
  tableOpen: false,
  tab: null,
  sheetOpen: false,
  fault: null,
  notice: null,
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
  /** Ticks or unticks a run. With as many as can be told apart, the one that was ticked first gives way. */
  compareRun(id: RunId, compared: boolean) {
    const ticked = this.current.runs.filter((run) => run.compared && run.id !== id);
    const [oldest] = ticked;
    if (compared && ticked.length >= MOST_COMPARED && oldest !== undefined) this.compareRun(oldest.id, false);
    const slots = this.current.runs.filter((run) => run.id !== id).map(({ slot }) => slot);
    this.changeRun(id, { compared, slot: compared ? freeSlot(slots) : null });
  }
  /** Changes the number of a field's unanswered values by one. */
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
/** The run on stage; if there is none, the stage shows the run that Train would begin. */
export const shownRun = (state: State) => findRun(state, state.shownId);
export const activeRun = (state: State) => findRun(state, state.activeId);
export const isOver = ({ phase }: Run) => phase === "ended" || phase === "abandoned" || phase === "failed";

/** Experiments with the same key train on the same images and labels. */
export function datasetKey({ dataset, seed }: Experiment): string {
  return JSON.stringify([dataset, seed]);
}

/** The experiment of the run on stage, or of the form if there is none. */
export function stagedExperiment(state: State): Experiment | null {
  return shownRun(state)?.experiment ?? state.form?.experiment ?? null;
}

const withoutRate = ({ training, ...rest }: Experiment) => JSON.stringify([rest, { ...training, learning_rate: 0 }]);

/** Whether the form differs from a run's experiment. The first and the last learning rate of a run both count as its own. */
export function changedSince({ experiment, backend }: Form, run: Run): boolean {
  const rate = experiment.training.learning_rate;
  return (
    backend !== run.backend ||
    withoutRate(experiment) !== withoutRate(run.experiment) ||
    // While a run trains, a rate that was just set is in no step before the first epoch with it.
    (isOver(run) && rate !== run.rates[0]?.rate && rate !== run.rates.at(-1)?.rate)
  );
}

/** Whether the run on stage can go on after its end: the worker has its network, and the form still has its settings. */
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
    // A run with early stopping may have the weights of its best epoch, and is over.
    run.experiment.training.early_stopping.type === "none" &&
    !changedSince(form, run)
  );
}

/** Whether a new learning rate also goes to the active run: only if that run is on stage and the form has its settings. */
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

/** The name of a run or of the form: its preset, and whether the mistake was fixed at the start. */
export function nameOf(state: State, { presetId, mended }: Pick<Run, "presetId" | "mended">): string {
  const name = presetName(state, presetId);
  return mended ? `${name}, fixed` : name;
}
