/** Every message between the page and a worker, as one typed union per direction. Each has the id of its run or its question. */
import type { Catalogue, Described, EpochReport, Experiment, InvalidField, RunResult } from "overfit-lab";

export type RunId = number;
export type RequestId = number;

/** A value that a person enters in a control. Rust checks it. */
export type FieldValue = string | number | boolean;

/** The most images that are drawn and have a history: a page of thousands of pictures helps nobody. */
export const IMAGES_SHOWN = 200;

export interface Preview {
  labels: Uint32Array;
  /** The first `IMAGES_SHOWN` images. */
  images: ImageData[];
}

/** The output of one layer for one image, in inference, and the gradient of the image's loss with respect to it. */
export interface Look {
  /** Height, width and channels, or units. */
  shape: number[];
  values: Float32Array;
  /** One number for each of `values`. */
  gradients: Float32Array;
}

/** Each kind of question, with its parameters and its answer. The answerer answers all but those that name a run. */
export interface Questions {
  catalogue: { ask: null; answer: Catalogue };
  /** The experiment with one field set, described against a preset. */
  edit: { ask: { experiment: Experiment; presetId: string; field: string; value: FieldValue }; answer: Described };
  /** The experiment without a change, described against a preset. */
  describe: { ask: { experiment: Experiment; presetId: string }; answer: Described };
  /** The answer is null if the experiment is invalid. */
  preview: { ask: { experiment: Experiment }; answer: Preview | null };
  newSeed: { ask: null; answer: number };
  /** From the current network of a run, active or just ended. `layer` is an index of the experiment's list of layers. */
  look: { ask: { runId: RunId; layer: number; image: number }; answer: Look };
}
export type QuestionKind = keyof Questions;
export type Question<K extends QuestionKind = QuestionKind> = {
  [Q in K]: { type: "ask"; requestId: RequestId; kind: Q; ask: Questions[Q]["ask"] };
}[K];
export type Answer<K extends QuestionKind = QuestionKind> = {
  [Q in K]: { type: "answer"; requestId: RequestId; kind: Q; answer: Questions[Q]["answer"] };
}[K];

export interface Job {
  runId: RunId;
  experiment: Experiment;
  backend: string;
  /** "step" trains one epoch and pauses. */
  start: "run" | "step";
}

export type Command =
  | { type: "pause" | "resume" | "step" | "stop" }
  | { type: "set_learning_rate"; learningRate: number }
  /** Goes on with a run that has ended, up to `epochs` epochs in all. */
  | { type: "prolong"; epochs: number; start: Job["start"] }
  /** Only for tests: executes a wasm `unreachable` instead of the next epoch. */
  | { type: "crash" };

export type ToWorker = Question | ({ type: "train" } & Job) | { type: "command"; runId: RunId; command: Command };

export type FromWorker =
  | Answer
  /** A question has no answer, because Rust refused it or the worker no longer has the run. */
  | { type: "unanswered"; requestId: RequestId; cause: string }
  /** The wasm module is loaded. */
  | { type: "ready"; memoryBytes: number }
  | { type: "epochs"; runId: RunId; reports: EpochReport[]; memoryBytes: number }
  | { type: "paused"; runId: RunId }
  | { type: "resumed"; runId: RunId }
  /** A run that was told to stop has stopped training; its result follows. */
  | { type: "stopped"; runId: RunId }
  | { type: "finished"; runId: RunId; result: RunResult }
  /** Rust refused a value. Nothing is broken, and a run that had ended stays ended. */
  | { type: "refused"; runId: RunId; problem: InvalidField }
  /** The module did not load, or trapped. The worker must be ended. */
  | { type: "fault"; cause: string };
