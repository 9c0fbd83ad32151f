/** Every message between the page and a worker, as one typed union a direction. Each carries the id of its run or of its question. */
import type { Catalogue, Described, EpochReport, Experiment, InvalidField, RunResult } from "overfit-lab";

export type RunId = number;
export type RequestId = number;

/** What a person may enter in a control. Rust reads it, whatever it is. */
export type FieldValue = string | number | boolean;

/** So many images are drawn, and only of these is a history kept: a page of thousands of pictures helps nobody. */
export const IMAGES_SHOWN = 200;

export interface Preview {
  labels: Uint32Array;
  /** The first `IMAGES_SHOWN`. */
  images: ImageData[];
}

/** The output of one layer for one image, in inference, and the gradient of that image's loss by it. */
export interface Look {
  /** Height, width and channels, or units. */
  shape: number[];
  values: Float32Array;
  /** As many numbers as `values`. */
  gradients: Float32Array;
}

/** The questions: what is asked, and what comes back. Each goes to the answerer, but for one that names a run. */
export interface Questions {
  catalogue: { ask: null; answer: Catalogue };
  /** The experiment with one field set, described against a preset. */
  edit: { ask: { experiment: Experiment; presetId: string; field: string; value: FieldValue }; answer: Described };
  /** The experiment as it is, likewise. */
  describe: { ask: { experiment: Experiment; presetId: string }; answer: Described };
  /** Null for an experiment that is not valid. */
  preview: { ask: { experiment: Experiment }; answer: Preview | null };
  newSeed: { ask: null; answer: number };
  /** Of the network of a run as it is now, under way or just ended. `layer` is a place in the experiment's list of layers. */
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
  /** To a run that has ended: trains on, to so many epochs in all. */
  | { type: "prolong"; epochs: number; start: Job["start"] }
  /** For tests alone: executes a wasm `unreachable` where the next epoch would be trained. */
  | { type: "crash" };

export type ToWorker = Question | ({ type: "train" } & Job) | { type: "command"; runId: RunId; command: Command };

export type FromWorker =
  | Answer
  /** Why a question has no answer: Rust refused it, or the worker no longer has the run. */
  | { type: "unanswered"; requestId: RequestId; cause: string }
  /** The wasm module is loaded. */
  | { type: "ready"; memoryBytes: number }
  | { type: "epochs"; runId: RunId; reports: EpochReport[]; memoryBytes: number }
  | { type: "paused"; runId: RunId }
  | { type: "resumed"; runId: RunId }
  /** A run that was told to stop trains no more; its result follows. */
  | { type: "stopped"; runId: RunId }
  | { type: "finished"; runId: RunId; result: RunResult }
  /** Rust refused a value; nothing is broken, and a run that had ended stays so. */
  | { type: "refused"; runId: RunId; problem: InvalidField }
  /** The module did not load, or trapped. The worker must be thrown away. */
  | { type: "fault"; cause: string };
