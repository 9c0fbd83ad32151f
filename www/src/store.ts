/** What the page knows, as plain data, and who is told when it changes. */
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

export interface Run {
  id: RunId;
  presetId: string;
  /** Whether it began as the preset without its mistake. */
  mended: boolean;
  experiment: Experiment;
  changes: Change[];
  backend: string;
  phase: Phase;
  history: History;
  events: RunEvent[];
  result: RunResult | null;
  /** Ticked: drawn as a thin line behind the run that is shown. */
  compared: boolean;
}

/** An entry that the experiment cannot hold: where it was made, and what is wrong with it. */
export interface Unheld {
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
  /** Problems of the experiment as it is; those of entries that it cannot hold stand apart. */
  problems: InvalidField[];
  unheld: Unheld[];
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
  runs: Run[];
  /** The run on the chart, and the run that is not over; often the same. */
  shownId: RunId | null;
  activeId: RunId | null;
  /** The images and labels on the page, and the key of the dataset they come from. */
  preview: { key: string; data: Preview } | null;
  selectedImage: number | null;
  logarithmicEpochs: boolean;
  tableOpen: boolean;
  fault: Fault | null;
  /** How often the focus was asked to go to the first field with a problem. */
  problemCalls: number;
  memoryBytes: number;
}

export const initialState: State = {
  catalogue: null,
  framework: null,
  form: null,
  runs: [],
  shownId: null,
  activeId: null,
  preview: null,
  selectedImage: null,
  logarithmicEpochs: true,
  tableOpen: false,
  fault: null,
  problemCalls: 0,
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
  /** Runs are changed in place, for their histories grow many times a second. */
  changeRun(id: RunId, change: Partial<Run>) {
    const run = findRun(this.current, id);
    if (run === null) return;
    Object.assign(run, change);
    this.set({});
  }
  subscribe(listener: (state: State) => void) {
    this.listeners.push(listener);
  }
}

export function findRun(state: State, id: RunId | null): Run | null {
  return state.runs.find((run) => run.id === id) ?? null;
}
export const shownRun = (state: State) => findRun(state, state.shownId);
export const activeRun = (state: State) => findRun(state, state.activeId);

/** Experiments with the same key train on the same images and labels. */
export function datasetKey({ dataset, seed }: Experiment): string {
  return JSON.stringify([dataset, seed]);
}

/** Whether Train would now train something other than the run under way; its learning rate follows the control. */
export function changedSince(form: Form, run: Run): boolean {
  const withoutRate = ({ training, ...rest }: Experiment) => JSON.stringify([rest, { ...training, learning_rate: 0 }]);
  return form.backend !== run.backend || withoutRate(form.experiment) !== withoutRate(run.experiment);
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
