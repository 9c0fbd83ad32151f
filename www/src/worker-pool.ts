/**
 * The workers: an answerer, which answers questions and never trains, so that answers are prompt, and trainers, which take jobs
 * from a queue. A worker with a fault is ended and replaced by a spare one, whose module is already loaded: so a run starts
 * immediately after another was given up, and without the network after a trap.
 */
import type { Experiment } from "overfit-lab";
import type {
  Answer,
  Command,
  FromWorker,
  Job,
  Question,
  QuestionKind,
  Questions,
  RequestId,
  RunId,
  ToWorker,
} from "./protocol";

/** Why a question has no answer: its worker died or no longer has the run, or Rust refused the question. */
export class Unanswered extends Error {}

/** A worker's message about itself or its run. */
export type Heard = Exclude<FromWorker, Answer | { type: "unanswered" | "fault" }>;

export interface PoolListener {
  heard(message: Heard): void;
  /** A trainer failed, with the run that it had, or the answerer, which has no run. */
  faulted(runId: RunId | null, cause: string): void;
  /** A run was told to stop, but its worker did not answer in time and was ended, without a result. */
  abandoned(runId: RunId): void;
}

/** A question without an answer so far: the worker that will answer, and the caller that waits. */
interface Waiting {
  worker: PoolWorker;
  resolve: (answer: Answer["answer"]) => void;
  reject: (cause: Unanswered) => void;
}

/**
 * The time for a worker to stop, after which it is ended: in the middle of a step it receives no messages. A run whose epochs take a
 * second at most is given more time, for on a busy machine it soon answers, and keeps its result and its network.
 */
const STOP_MS = 150;
const STOP_MS_OF_SHORT_EPOCHS = 2000;
const SHORT_EPOCH_MS = 1000;

/** A worker, or null if the browser refuses it immediately, as in a sandboxed frame; that is reported like any other fault. */
function startWorker(heard: (message: FromWorker) => void): Worker | null {
  try {
    return new Worker(new URL("./training.worker.ts", import.meta.url), { type: "module" });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    queueMicrotask(() => heard({ type: "fault", cause }));
    return null;
  }
}

/** The time from opening a trainer to loading a spare one. */
const SPARE_AFTER_MS = 3000;

class PoolWorker {
  private readonly worker: Worker | null;
  runId: RunId | null = null;
  /** The run that the worker trained last, which can go on until the worker gets another. */
  keptId: RunId | null = null;
  /** The timer after which a run that was told to stop is given up. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the worker's run has stopped and is only measuring its result. */
  concludes = false;
  timeToStop = STOP_MS;

  constructor(heard: (message: FromWorker) => void) {
    this.worker = startWorker(heard);
    if (this.worker === null) return;
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => heard(data);
    // An error that the worker could not catch, such as a script that did not load.
    this.worker.onerror = (event) => heard({ type: "fault", cause: event.message || "its script did not load" });
    this.worker.onmessageerror = () => heard({ type: "fault", cause: "a message could not be read" });
  }
  post(message: ToWorker) {
    this.worker?.postMessage(message);
  }
  /** Calls back after the time for an answer to Stop, unless `stopTimeout` is called before. */
  startTimeout(late: () => void) {
    clearTimeout(this.timer);
    this.timer = setTimeout(late, this.timeToStop);
  }
  stopTimeout() {
    clearTimeout(this.timer);
  }
  end() {
    this.stopTimeout();
    if (this.worker === null) return;
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }
}

export class WorkerPool {
  private answerer: PoolWorker | null = null;
  private trainers: PoolWorker[] = [];
  private spare: PoolWorker | null = null;
  private queue: Job[] = [];
  private nextRequest: RequestId = 1;
  private readonly waiting = new Map<RequestId, Waiting>();

  /** Starts the answerer and one trainer immediately, so that the module is loaded for the first run; others when needed. */
  constructor(
    private readonly maxTrainers: number,
    private readonly listener: PoolListener,
  ) {
    this.answerer = this.openAnswerer();
    this.openTrainer();
  }

  /** Asks the answerer or, if the question is about a run, the trainer that has the run. */
  ask<K extends QuestionKind>(kind: K, ask: Questions[K]["ask"]): Promise<Questions[K]["answer"]> {
    return new Promise((resolve, reject) => {
      const worker =
        ask !== null && "runId" in ask ? this.trainerOf(ask.runId) : (this.answerer ??= this.openAnswerer());
      if (worker === undefined) return reject(new Unanswered("no worker has this run"));
      const requestId = this.nextRequest++;
      // The answer has the question's kind, which the type of the map does not express.
      this.waiting.set(requestId, { worker, resolve: resolve as Waiting["resolve"], reject });
      worker.post({ type: "ask", requestId, kind, ask } as Question);
    });
  }

  train(runId: RunId, experiment: Experiment, backend: string, start: Job["start"]) {
    this.queue.push({ runId, experiment, backend, start });
    this.assign();
    this.limitConcluding();
  }

  command(runId: RunId, command: Command) {
    this.trainers.find((worker) => worker.runId === runId)?.post({ type: "command", runId, command });
  }

  /**
   * Stops a run; it gets a result if its worker receives the message between two steps. A worker that does not answer is ended, and
   * so is one that is still measuring the result when another run waits for it. The time of the run's epochs is null before the
   * first.
   */
  stop(runId: RunId, epochMilliseconds: number | null) {
    const worker = this.trainers.find((worker) => worker.runId === runId);
    if (worker === undefined) return;
    const isShort = epochMilliseconds !== null && epochMilliseconds <= SHORT_EPOCH_MS;
    worker.timeToStop = isShort ? STOP_MS_OF_SHORT_EPOCHS : STOP_MS;
    worker.post({ type: "command", runId, command: { type: "stop" } });
    worker.startTimeout(() => this.abandon(worker));
  }

  /** Sends a command to a run that has ended; returns whether a trainer still has it. */
  revive(runId: RunId, command: Command): boolean {
    const worker = this.trainerOf(runId);
    if (worker === undefined || worker.runId !== null) return false;
    worker.runId = runId;
    worker.post({ type: "command", runId, command });
    return true;
  }

  /** Removes a run's job from the queue; returns whether it was there. */
  cancel(runId: RunId): boolean {
    const before = this.queue.length;
    this.queue = this.queue.filter((job) => job.runId !== runId);
    return this.queue.length < before;
  }

  private assign() {
    while (this.queue.length > 0) {
      const idle = this.trainers.find((worker) => worker.runId === null);
      if (idle === undefined && this.trainers.length >= this.maxTrainers) return;
      const worker = idle ?? this.openTrainer();
      const job = this.queue.shift();
      if (job === undefined) return;
      worker.runId = worker.keptId = job.runId;
      worker.post({ type: "train", ...job });
    }
  }

  private openTrainer(): PoolWorker {
    const worker = this.spare ?? this.loadTrainer();
    this.spare = null;
    this.trainers.push(worker);
    // Not immediately, because a run may be about to start.
    setTimeout(() => (this.spare ??= this.loadTrainer()), SPARE_AFTER_MS);
    return worker;
  }

  private loadTrainer(): PoolWorker {
    const worker: PoolWorker = new PoolWorker((message) => {
      if (worker !== this.spare) return this.heardTrainer(worker, message);
      // A spare that does not load affects no run: the next trainer to be opened reports the fault.
      if (message.type === "fault") {
        worker.end();
        this.spare = null;
      }
    });
    return worker;
  }

  private trainerOf(runId: RunId): PoolWorker | undefined {
    return this.trainers.find((worker) => worker.keptId === runId);
  }

  private heardTrainer(worker: PoolWorker, message: FromWorker) {
    if (message.type === "answer" || message.type === "unanswered") return this.settle(message);
    if (message.type !== "fault") {
      if (message.type === "stopped") {
        worker.stopTimeout();
        worker.concludes = true;
        this.limitConcluding();
      }
      if (message.type === "finished") {
        worker.stopTimeout();
        worker.runId = null;
        worker.concludes = false;
      }
      this.listener.heard(message);
      return this.assign();
    }
    this.discard(worker, message.cause);
    this.listener.faulted(worker.runId, message.cause);
    // A worker that never had a run did not load; the next run opens another.
    if (worker.runId !== null && this.trainers.length === 0) this.openTrainer();
    this.assign();
  }

  /** Limits the time of runs that are still measuring their results while another run waits. */
  private limitConcluding() {
    if (this.queue.length === 0) return;
    for (const worker of this.trainers) if (worker.concludes) worker.startTimeout(() => this.abandon(worker));
  }

  private abandon(worker: PoolWorker) {
    const { runId } = worker;
    this.discard(worker, "the run was stopped in the middle of a step");
    this.openTrainer();
    if (runId !== null) this.listener.abandoned(runId);
    this.assign();
  }

  private discard(worker: PoolWorker, cause: string) {
    this.end(worker, cause);
    this.trainers = this.trainers.filter((other) => other !== worker);
  }

  private openAnswerer(): PoolWorker {
    const worker: PoolWorker = new PoolWorker((message) => {
      if (message.type === "answer" || message.type === "unanswered") return this.settle(message);
      if (message.type !== "fault") return this.listener.heard(message);
      this.end(worker, message.cause);
      this.answerer = null;
      this.listener.faulted(null, message.cause);
    });
    return worker;
  }

  /** Ends a worker, and rejects all of its questions. */
  private end(worker: PoolWorker, cause: string) {
    worker.end();
    for (const [requestId, question] of this.waiting) {
      if (question.worker !== worker) continue;
      this.waiting.delete(requestId);
      question.reject(new Unanswered(cause));
    }
  }

  private settle(message: Answer | Extract<FromWorker, { type: "unanswered" }>) {
    const question = this.waiting.get(message.requestId);
    this.waiting.delete(message.requestId);
    if (message.type === "answer") question?.resolve(message.answer);
    else question?.reject(new Unanswered(message.cause));
  }
}
