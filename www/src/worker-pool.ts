/**
 * The workers: an answerer, which answers questions and never trains, so that answers are prompt, and trainers that take jobs
 * from a queue. A worker that faults is thrown away and replaced.
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

/** Why a question has no answer: the answerer died. */
export class Unanswered extends Error {}

/** What a worker says of itself and of its run. */
export type Heard = Exclude<FromWorker, Answer | { type: "fault" }>;

export interface PoolListener {
  heard(message: Heard): void;
  /** A trainer died, with the run that it had, or the answerer, which had none. */
  faulted(runId: RunId | null, cause: string): void;
}

type Waiting = {
  [K in QuestionKind]: Map<
    RequestId,
    { resolve: (answer: Questions[K]["answer"]) => void; reject: (e: Error) => void }
  >;
};

class PoolWorker {
  private worker: Worker;
  runId: RunId | null = null;
  /** The run that it trained last, which it can train further until it gets another. */
  keptId: RunId | null = null;

  constructor(heard: (message: FromWorker) => void) {
    this.worker = new Worker(new URL("./training.worker.ts", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => heard(data);
    // An error that the worker could not catch itself, such as a script that did not load.
    this.worker.onerror = (event) => heard({ type: "fault", cause: event.message || "its script did not load" });
    this.worker.onmessageerror = () => heard({ type: "fault", cause: "a message could not be read" });
  }
  post(message: ToWorker) {
    this.worker.postMessage(message);
  }
  end() {
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }
}

export class WorkerPool {
  private answerer: PoolWorker | null = null;
  private trainers: PoolWorker[] = [];
  private queue: Job[] = [];
  private nextRequest: RequestId = 1;
  private waiting: Waiting = {
    catalogue: new Map(),
    edit: new Map(),
    describe: new Map(),
    preview: new Map(),
    newSeed: new Map(),
  };

  /** Starts the answerer and one trainer at once, so that the first run finds its module loaded; the others when needed. */
  constructor(
    private readonly maxTrainers: number,
    private readonly listener: PoolListener,
  ) {
    this.answerer = this.openAnswerer();
    this.openTrainer();
  }

  ask<K extends QuestionKind>(kind: K, ask: Questions[K]["ask"]): Promise<Questions[K]["answer"]> {
    return new Promise((resolve, reject) => {
      const requestId = this.nextRequest++;
      this.waiting[kind].set(requestId, { resolve, reject });
      this.answerer ??= this.openAnswerer();
      this.answerer.post({ type: "ask", requestId, kind, ask } as Question);
    });
  }

  train(runId: RunId, experiment: Experiment, backend: string, start: Job["start"]) {
    this.queue.push({ runId, experiment, backend, start });
    this.assign();
  }

  command(runId: RunId, command: Command) {
    this.trainers.find((worker) => worker.runId === runId)?.post({ type: "command", runId, command });
  }

  /** Sends a command to a run that has ended, if a trainer still has it; whether one has. */
  revive(runId: RunId, command: Command): boolean {
    const worker = this.trainers.find((worker) => worker.runId === null && worker.keptId === runId);
    if (worker === undefined) return false;
    worker.runId = runId;
    worker.post({ type: "command", runId, command });
    return true;
  }

  /** Takes a job that has not begun off the queue; whether there was one. */
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
    const worker: PoolWorker = new PoolWorker((message) => this.heardTrainer(worker, message));
    this.trainers.push(worker);
    return worker;
  }

  private heardTrainer(worker: PoolWorker, message: FromWorker) {
    if (message.type === "answer") return;
    if (message.type !== "fault") {
      if (message.type === "finished") worker.runId = null;
      this.listener.heard(message);
      return this.assign();
    }
    worker.end();
    this.trainers = this.trainers.filter((other) => other !== worker);
    this.listener.faulted(worker.runId, message.cause);
    // A worker that never had a run did not load; it is opened again only when a run asks for it.
    if (worker.runId !== null && this.trainers.length === 0) this.openTrainer();
    this.assign();
  }

  private openAnswerer(): PoolWorker {
    const worker: PoolWorker = new PoolWorker((message) => {
      if (message.type === "answer") return this.settle(message);
      if (message.type !== "fault") return this.listener.heard(message);
      worker.end();
      this.answerer = null;
      for (const requests of Object.values(this.waiting)) {
        for (const { reject } of requests.values()) reject(new Unanswered(message.cause));
        requests.clear();
      }
      this.listener.faulted(null, message.cause);
    });
    return worker;
  }

  private settle<K extends QuestionKind>(message: Answer<K>) {
    this.waiting[message.kind].get(message.requestId)?.resolve(message.answer);
    this.waiting[message.kind].delete(message.requestId);
  }
}
