// Measures time and memory of Example 1 as it grows, one field at a time, finds which large experiments are refused, and measures
// the gain of several workers at a time.
import { PageWorker } from "./page-worker.mjs";
import { Worker } from "./contenders.mjs";
import { percentile, round } from "./figures.mjs";
import { takeTurns } from "./rounds.mjs";

const TRAINING = "/bench/training.worker.mjs";
const EXAMPLE = "example-1";
const EPOCHS = 10;

/** All images are one batch, as in the article. */
const AXES = [
  { name: "images", points: [20, 50, 100, 200, 500, 1000, 2000], set: withImages },
  {
    name: "side",
    points: [16, 32, 48, 64, 96, 128],
    set: withSide,
  },
  { name: "filters", points: [8, 16, 32, 64, 128], set: withFilters },
];

/** Experiments with several large fields, of which the page must refuse some rather than begin them. */
const LARGE = [
  { images: 2000, side: 64, filters: 32 },
  { images: 2000, side: 128, filters: 32 },
  { images: 2000, side: 128, filters: 128 },
  { images: 500, side: 256, filters: 128 },
  { images: 2000, side: 256, filters: 1024 },
];

/** The epochs that each worker trains per round, and the number of rounds. */
const TOGETHER = { epochs: 40, rounds: 7 };

export async function measureGrowth(page, experiment) {
  const axes = [];
  for (const axis of AXES) axes.push(await along(page, axis, experiment));
  return { example: EXAMPLE, axes, refused: await refused(page, experiment) };
}

/** Every point has its own worker, so that its memory is that of one run alone. */
async function along(page, { name, points, set }, experiment) {
  const contenders = points.map((value) => {
    const grown = withEpochs(set(experiment, value));
    return new Worker(page, TRAINING, () => ({ experiment: grown }), {
      name: `${value} ${name}`,
      value,
      experiment: grown,
    });
  });
  const entries = await takeTurns(contenders, undefined, EPOCHS);
  const rows = [];
  for (const { contender, results } of entries) {
    const { memory } = await about(page, contender.experiment);
    const median = percentile(
      results.map(({ milliseconds }) => milliseconds),
      50,
    );
    rows.push({
      value: contender.value,
      ms: round(median, 2),
      wasm_memory_bytes: results.at(-1).memory,
      estimated_memory_bytes: memory,
    });
  }
  return { name, rows, ...fit(rows.map(({ value, ms }) => [value, ms])) };
}

/** Fits the cost to a power of the field: the exponent, and the coefficient of determination of the logarithms. */
function fit(points) {
  const logs = points.map((point) => point.map(Math.log));
  const mean = (at) => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (term) => logs.reduce((total, point) => total + term(point[0] - x, point[1] - y), 0);
  const [xx, xy, yy] = [sum((a) => a * a), sum((a, b) => a * b), sum((_, b) => b * b)];
  return { power: round(xy / xx, 3), r_squared: round((xy * xy) / (xx * yy), 4) };
}

async function refused(page, experiment) {
  const answers = [];
  for (const { images, side, filters } of LARGE) {
    const large = withFilters(withImages(withSide(experiment, side), images), filters);
    const { refused, memory } = await about(page, large);
    answers.push({ images, side, filters, refused, estimated_memory_bytes: memory });
  }
  return answers;
}

async function about(page, experiment) {
  const worker = await PageWorker.start(page, TRAINING);
  const answer = await worker.ask({ kind: "about", experiment });
  await worker.stop();
  return answer;
}

/** Measures epochs per second of 1 to `most` workers at a time, each with its own run, and the sum of their peaks. */
export async function measureWorkers(page, experiment, most) {
  const training = await start(page, TRAINING, most, { experiment: withEpochs(experiment, 100_000) });
  const peaks = await start(page, "/bench/peak.worker.mjs", most, {});
  const counts = Array.from({ length: most }, (_, index) => index + 1);
  const measured = counts.map((workers) => ({ workers, epochs: [], gflops: [] }));
  for (let round = -1; round < TOGETHER.rounds; round += 1) {
    for (const { workers, epochs, gflops } of measured) {
      const start = performance.now();
      await together(training.slice(0, workers), { kind: "run_many", epochs: TOGETHER.epochs });
      const seconds = (performance.now() - start) / 1000;
      const speeds = await together(peaks.slice(0, workers), { kind: "run" });
      if (round < 0) continue; // warms up
      epochs.push((workers * TOGETHER.epochs) / seconds);
      gflops.push(speeds.reduce((sum, one) => sum + one.gflops, 0));
    }
  }
  for (const worker of [...training, ...peaks]) await worker.stop();
  const rows = measured.map(({ workers, epochs, gflops }) => ({
    workers,
    epochs_per_second: round(percentile(epochs, 50), 1),
    peak_gflops: round(percentile(gflops, 50), 1),
  }));
  const [one] = rows;
  return rows.map((row) => ({
    ...row,
    times_one: round(row.epochs_per_second / one.epochs_per_second, 2),
    peak_times_one: round(row.peak_gflops / one.peak_gflops, 2),
  }));
}

async function start(page, url, count, message) {
  const workers = [];
  for (let i = 0; i < count; i += 1) {
    const worker = await PageWorker.start(page, url);
    await worker.ask({ kind: "open", ...message });
    workers.push(worker);
  }
  return workers;
}

function together(workers, message) {
  return Promise.all(workers.map((worker) => worker.ask(message)));
}

function withSide(experiment, side) {
  return { ...experiment, dataset: { ...experiment.dataset, height: side, width: side } };
}

function withImages(experiment, images) {
  const { dataset, training } = experiment;
  return { ...experiment, dataset: { ...dataset, images }, training: { ...training, batch_size: images } };
}

function withFilters(experiment, filters) {
  const layers = experiment.network.layers.map((layer) => (layer.type === "conv2d" ? { ...layer, filters } : layer));
  return { ...experiment, network: { ...experiment.network, layers } };
}

function withEpochs(experiment, epochs = 1000) {
  return { ...experiment, training: { ...experiment.training, epochs } };
}
