// Compares an epoch of each network with the arithmetic limit: the multiply-adds of a step, counted by the definition of each
// layer, at the peak speed that the machine reaches at the same time.
import { ours, peak } from "./contenders.mjs";
import { compared, percentile, round } from "./figures.mjs";
import { Keras } from "./keras.mjs";
import { PageWorker } from "./page-worker.mjs";
import { mostEpochs, takeTurns } from "./rounds.mjs";

/** Presets of other groups than examples and networks, each with a function that removes the layers or the field that it adds. */
const ADDITIONS = {
  "batch-norm-lag": withoutLayers("batch_norm"),
  dropout: withoutLayers("dropout"),
  augmentation: (experiment, plain) => ({
    ...experiment,
    training: { ...experiment.training, augmentation: plain.training.augmentation },
  }),
};

/** The layers that keras_contender.py has. */
const KERAS = [
  ...["conv2d", "max_pool", "global_average_pool", "flatten", "dense", "activation"],
  ...["batch_norm", "dropout", "save", "add_saved"],
];

export async function measureNetworks(page, order, backend) {
  const rows = [];
  for (const { name, experiment, without, isNoisy, isAltered } of await networks(page)) {
    const longer = { ...experiment, training: { ...experiment.training, epochs: mostEpochs(order.epochs) } };
    const contenders = [peak(page), ...ours(page, order.version, [backend])];
    const hasKeras = !isAltered && experiment.network.layers.every(({ type }) => KERAS.includes(type));
    if (order.keras && hasKeras) contenders.push(new Keras(order.keras));
    const problem = { experiment: longer, ...(await about(page, { kind: "problem", experiment: longer })) };
    const [machine, ...entries] = await takeTurns(contenders, problem, order.epochs);
    const [own, keras] = compared(name, entries);
    if (keras?.wrong && !isNoisy) throw new Error(`Keras is wrong about ${name}: ${keras.wrong}`);
    const gflops = percentile(
      machine.results.map(({ gflops }) => gflops),
      50,
    );
    const operations = 2 * (await about(page, { kind: "about", experiment })).multiply_adds;
    const limit = operations / gflops / 1e6;
    const base = rows.find((row) => row.name === without);
    rows.push({
      name,
      operations,
      peak_gflops: round(gflops, 1),
      limit_ms: round(limit, 3),
      median: own.median,
      p95: own.p95,
      to_limit: round(own.median / limit, 2),
      judging_ms: round(percentile(judging(entries), 50), 3),
      without,
      to_without: base && round(own.median / base.median, 3),
      keras: keras?.median,
    });
  }
  return rows;
}

/** Milliseconds of each epoch for judging the network in inference; 0 where training gives the same. */
function judging(entries) {
  return entries.find(({ contender }) => contender.isOurs).results.map((result) => result.judging);
}

/** The examples, the networks, and the additions to a network, each after the same network without it. */
async function networks(page) {
  const { presets } = await about(page, { kind: "presets" });
  const plain = presets.find(({ group }) => group === "article").experiment;
  const rows = presets
    .filter(({ group }) => group === "article" || group === "networks")
    .map(({ id, experiment }) => ({ name: id, experiment }));
  for (const [id, taken] of Object.entries(ADDITIONS)) {
    const { experiment } = presets.find((preset) => preset.id === id);
    const without = `${id}, without`;
    rows.push({ name: without, experiment: taken(experiment, plain) });
    rows.push({
      name: id,
      experiment,
      without,
      isNoisy: id === "dropout",
      isAltered: id === "augmentation",
    });
  }
  return rows;
}

function withoutLayers(kind) {
  return (experiment) => ({
    ...experiment,
    network: { ...experiment.network, layers: experiment.network.layers.filter(({ type }) => type !== kind) },
  });
}

async function about(page, message) {
  const worker = await PageWorker.start(page, "/bench/training.worker.mjs");
  const answer = await worker.ask(message);
  await worker.stop();
  return answer;
}
