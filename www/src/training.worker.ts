/** A worker: loads the wasm package, answers questions, and trains one run at a time. No other part imports the package. */
import type { DatasetPreview, EpochReport, Experiment, InvalidField, Run } from "overfit-lab";
import {
  type Command,
  type FromWorker,
  IMAGES_SHOWN,
  type Job,
  type Look,
  type Preview,
  type Question,
  type ToWorker,
} from "./protocol";

declare const self: {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

/** The shortest time between two posts of epochs, however fast epochs are. */
const POST_EVERY_MS = 1000 / 60;
/** The time after which messages are let in between two steps of a long epoch; they are always let in between epochs. */
const SLICE_MS = 50;

/** The cause of the last panic, from the package's panic hook, which prints it: the trap itself only says "unreachable". */
let lastPanic: string | null = null;
const printError = console.error.bind(console);
console.error = (...args: unknown[]) => {
  const panic = /^panicked at [^\n]*\n([^\n]*)/.exec(String(args[0]));
  lastPanic = panic?.[1] ?? lastPanic;
  printError(...args);
};

const loading = import("overfit-lab");
type Lab = Awaited<typeof loading>;

const post = (message: FromWorker) => self.postMessage(message);
const report = (error: unknown) =>
  post({ type: "fault", cause: lastPanic ?? (error instanceof Error ? error.message : String(error)) });

const messages = new MessageChannel();
let waiting: (() => void) | null = null;
messages.port1.onmessage = () => waiting?.();
/** Resolves after the messages that wait now. Unlike a timer, it is not slowed down in a hidden tab. */
const letMessagesIn = () =>
  new Promise<void>((resolve) => {
    waiting = resolve;
    messages.port2.postMessage(null);
  });

interface CurrentRun extends Job {
  run: Run;
  state: "running" | "paused" | "ended";
  stepping: boolean;
  /** Whether `trainOn` is running for this run; it may be letting messages in. */
  looping: boolean;
  /** Called instead of the next epoch, after a test has asked for it. */
  trap: (() => never) | null;
  unposted: EpochReport[];
  postedAt: number;
}
/** The run that was trained last. It stays until the next one, because a person may go on with it. */
let current: CurrentRun | null = null;

/** The problem that Rust attached to a refusal; null for any other error. */
function refusal(error: unknown): InvalidField | null {
  return error instanceof Error && "problem" in error ? (error as { problem: InvalidField }).problem : null;
}

/** Removes the answers for images that are not shown: the page needs only the number of right ones, which the report has. */
function shorten(report: EpochReport): EpochReport {
  const { predicted, label_probability } = report.metrics;
  if (predicted.length <= IMAGES_SHOWN) return report;
  const few = {
    predicted: predicted.slice(0, IMAGES_SHOWN),
    label_probability: label_probability.slice(0, IMAGES_SHOWN),
  };
  return { ...report, metrics: { ...report.metrics, ...few } };
}

function postEpochs(lab: Lab, of: CurrentRun) {
  if (of.unposted.length === 0) return;
  post({ type: "epochs", runId: of.runId, reports: of.unposted, memoryBytes: lab.memoryBytes() });
  of.unposted = [];
  of.postedAt = performance.now();
}

function end(lab: Lab, of: CurrentRun) {
  postEpochs(lab, of);
  of.state = "ended";
  post({ type: "finished", runId: of.runId, result: of.run.result() });
}

function pause(lab: Lab, of: CurrentRun) {
  of.state = "paused";
  postEpochs(lab, of);
  post({ type: "paused", runId: of.runId });
}

async function trainOn(lab: Lab, of: CurrentRun) {
  if (of.looping) return;
  of.looping = true;
  while (of.state === "running") {
    of.trap?.();
    const epoch = of.run.advance(SLICE_MS);
    if (epoch !== undefined) of.unposted.push(shorten(epoch));
    if (of.run.finished) end(lab, of);
    else if (of.stepping && epoch !== undefined) pause(lab, of);
    else if (performance.now() - of.postedAt >= POST_EVERY_MS) postEpochs(lab, of);
    await letMessagesIn();
  }
  of.looping = false;
}

function start(lab: Lab, job: Job) {
  current?.run.free();
  current = null;
  let run: Run;
  try {
    run = new lab.Run(job.experiment, job.backend);
  } catch (error) {
    const problem = refusal(error);
    if (problem === null) throw error;
    return post({ type: "refused", runId: job.runId, problem });
  }
  current = {
    ...job,
    run,
    state: "running",
    stepping: job.start === "step",
    looping: false,
    trap: null,
    unposted: [],
    postedAt: 0,
  };
  trainOn(lab, current).catch(report);
}

function resume(lab: Lab, of: CurrentRun, stepping: boolean) {
  of.stepping = stepping;
  of.state = "running";
  if (!stepping) post({ type: "resumed", runId: of.runId });
  trainOn(lab, of).catch(report);
}

function prolong(lab: Lab, of: CurrentRun, { epochs, start }: Extract<Command, { type: "prolong" }>) {
  try {
    of.run.planEpochs(epochs);
  } catch (error) {
    const problem = refusal(error);
    if (problem === null) throw error;
    return post({ type: "refused", runId: of.runId, problem });
  }
  resume(lab, of, start === "step");
}

async function loadTrap(of: CurrentRun) {
  const { executeUnreachable } = await import("./testing/trap");
  if (of.state === "paused") executeUnreachable();
  of.trap = executeUnreachable;
}

function obey(lab: Lab, of: CurrentRun, command: Command) {
  switch (command.type) {
    case "pause":
      return of.state === "running" ? pause(lab, of) : undefined;
    case "resume":
      return resume(lab, of, false);
    case "step":
      return resume(lab, of, true);
    case "stop":
      if (of.state === "ended") return;
      of.state = "ended";
      post({ type: "stopped", runId: of.runId });
      return end(lab, of);
    case "prolong":
      return prolong(lab, of, command);
    case "set_learning_rate":
      try {
        return of.run.setLearningRate(command.learningRate);
      } catch (error) {
        const problem = refusal(error);
        if (problem === null) throw error;
        return post({ type: "refused", runId: of.runId, problem });
      }
    case "crash":
      return void loadTrap(of).catch(report);
  }
}

/** The images and labels of an experiment, or null if it is invalid. */
function preview(lab: Lab, experiment: Experiment): Preview | null {
  let dataset: DatasetPreview;
  try {
    dataset = new lab.DatasetPreview(experiment);
  } catch (error) {
    if (refusal(error) === null) throw error;
    return null;
  }
  const found = { labels: dataset.labels(), images: dataset.images(IMAGES_SHOWN) };
  dataset.free();
  return found;
}

/** One layer's output for one image. The run may be active: questions are answered while messages are let in. */
function look({ run }: CurrentRun, layer: number, image: number): Look {
  const found = run.look(layer, image);
  const { shape, values, gradients } = found;
  found.free();
  return { shape: [...shape], values, gradients };
}

function answer(lab: Lab, question: Question) {
  const { requestId } = question;
  switch (question.kind) {
    case "catalogue":
      return post({ type: "answer", requestId, kind: "catalogue", answer: lab.catalogue() });
    case "edit": {
      const { experiment, presetId, field, value } = question.ask;
      return post({ type: "answer", requestId, kind: "edit", answer: lab.edit(experiment, presetId, field, value) });
    }
    case "describe": {
      const { experiment, presetId } = question.ask;
      return post({ type: "answer", requestId, kind: "describe", answer: lab.describe(experiment, presetId) });
    }
    case "preview":
      return post({ type: "answer", requestId, kind: "preview", answer: preview(lab, question.ask.experiment) });
    case "newSeed":
      return post({ type: "answer", requestId, kind: "newSeed", answer: lab.newSeed() });
    case "look": {
      const { runId, layer, image } = question.ask;
      const unanswered = (cause: string) => post({ type: "unanswered", requestId, cause });
      if (current?.runId !== runId) return unanswered("this run's network is gone");
      try {
        return post({ type: "answer", requestId, kind: "look", answer: look(current, layer, image) });
      } catch (error) {
        const problem = refusal(error);
        if (problem === null) throw error;
        return unanswered(problem.message);
      }
    }
  }
}

self.onmessage = async ({ data: message }) => {
  try {
    const lab = await loading;
    if (message.type === "ask") answer(lab, message);
    else if (message.type === "train") start(lab, message);
    else if (current?.runId === message.runId) obey(lab, current, message.command);
  } catch (error) {
    report(error);
  }
};

loading.then((lab) => post({ type: "ready", memoryBytes: lab.memoryBytes() }), report);
