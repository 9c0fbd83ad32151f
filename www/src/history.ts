/** The metrics of a run, as columns in typed arrays, so that a few hundred runs stay small. */
import type { EpochMetrics } from "overfit-lab";

const FIRST_CAPACITY = 256;

/** Loss and accuracy of each epoch on other images or in another mode. */
export interface Measures {
  loss: Float64Array<ArrayBuffer>;
  accuracy: Float64Array<ArrayBuffer>;
}

function grown<T extends Float64Array | Float32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

export class History {
  length = 0;
  epoch = new Float64Array(FIRST_CAPACITY);
  loss = new Float64Array(FIRST_CAPACITY);
  accuracy = new Float64Array(FIRST_CAPACITY);
  learningRate = new Float64Array(FIRST_CAPACITY);
  gradientNorm = new Float64Array(FIRST_CAPACITY);
  /** Measures on the held-out images, in every epoch; null if the experiment has none. */
  heldOut: Measures | null = null;
  /** Measures on the training images in inference mode, in every epoch; null if training mode gives the same. */
  inference: Measures | null = null;
  milliseconds = new Float32Array(FIRST_CAPACITY);
  /** Per epoch and shown image, the probability of the image's own label. Empty after `forgetImages`. */
  labelProbability: Float32Array;
  last: EpochMetrics | null = null;

  constructor(readonly images: number) {
    this.labelProbability = new Float32Array(FIRST_CAPACITY * images);
  }

  push(metrics: EpochMetrics) {
    if (this.length === this.epoch.length) this.resize(Math.max(FIRST_CAPACITY, this.length * 2));
    const at = this.length++;
    this.epoch[at] = metrics.epoch;
    this.loss[at] = metrics.loss;
    this.accuracy[at] = metrics.accuracy;
    this.learningRate[at] = metrics.learning_rate;
    this.gradientNorm[at] = metrics.gradient_norm;
    this.milliseconds[at] = metrics.milliseconds;
    this.heldOut = this.measured(this.heldOut, metrics.validation, at);
    this.inference = this.measured(this.inference, metrics.inference, at);
    this.labelProbability.set(metrics.label_probability, at * this.images);
    this.last = metrics;
  }

  /** Frees the memory for epochs that will not come. */
  close() {
    this.resize(this.length);
  }

  get bytes(): number {
    const numbers = 5 + 2 * this.others.length;
    return this.epoch.length * (numbers * 8 + 4) + this.labelProbability.byteLength;
  }

  get remembersImages(): boolean {
    return this.labelProbability.length > 0 || this.length === 0;
  }

  forgetImages() {
    this.labelProbability = new Float32Array(0);
  }

  /** Keeps every second epoch, the first and the last. */
  thin() {
    let kept = 0;
    for (let at = 0; at < this.length; at++) {
      if (at % 2 === 1 && at < this.length - 1) continue;
      for (const column of [
        this.epoch,
        this.loss,
        this.accuracy,
        this.learningRate,
        this.gradientNorm,
        this.milliseconds,
        ...this.others.flatMap(({ loss, accuracy }) => [loss, accuracy]),
      ])
        column[kept] = column[at] ?? NaN;
      kept++;
    }
    this.length = kept;
    this.labelProbability = new Float32Array(0);
    this.resize(kept);
  }

  /** The mean time of the last epochs, to estimate the time left. */
  recentMilliseconds(): number {
    const recent = this.milliseconds.subarray(Math.max(0, this.length - 20), this.length);
    return recent.reduce((sum, ms) => sum + ms, 0) / recent.length;
  }

  private get others(): Measures[] {
    return [this.heldOut, this.inference].filter((measures) => measures !== null);
  }

  private measured(to: Measures | null, of: { loss: number; accuracy: number } | null, at: number): Measures | null {
    if (of === null) return to;
    const capacity = this.epoch.length;
    const measures = to ?? { loss: new Float64Array(capacity), accuracy: new Float64Array(capacity) };
    measures.loss[at] = of.loss;
    measures.accuracy[at] = of.accuracy;
    return measures;
  }

  private resize(capacity: number) {
    const kept = Math.min(this.length, capacity);
    const column = (from: Float64Array<ArrayBuffer>) => grown(from.subarray(0, kept), new Float64Array(capacity));
    this.epoch = column(this.epoch);
    this.loss = column(this.loss);
    this.accuracy = column(this.accuracy);
    this.learningRate = column(this.learningRate);
    this.gradientNorm = column(this.gradientNorm);
    const resized = ({ loss, accuracy }: Measures) => ({ loss: column(loss), accuracy: column(accuracy) });
    this.heldOut = this.heldOut && resized(this.heldOut);
    this.inference = this.inference && resized(this.inference);
    this.milliseconds = grown(this.milliseconds.subarray(0, kept), new Float32Array(capacity));
    if (this.labelProbability.length === 0) return;
    const probabilities = this.labelProbability.subarray(0, kept * this.images);
    this.labelProbability = grown(probabilities, new Float32Array(capacity * this.images));
  }
}

/** Shrinks earlier runs, the oldest first, until all fit into `bytes`: first the histories of their images, then their curves. */
export function keepWithin(bytes: number, histories: History[]) {
  let sum = histories.reduce((total, history) => total + history.bytes, 0);
  for (const shrink of [(h: History) => h.forgetImages(), (h: History) => h.thin()]) {
    for (const history of histories) {
      if (sum <= bytes) return;
      sum -= history.bytes;
      shrink(history);
      sum += history.bytes;
    }
  }
}
