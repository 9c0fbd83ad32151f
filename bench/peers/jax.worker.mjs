// Trains with jax-js: network, loss and optimizer as its users write them, all in one `jit`. A function consumes the arrays that it
// is given, unless it is given their `ref`. The convolution of jax-js needs NCHW.
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { answers } from "../answers.mjs";

/** On an isolated page, jax-js starts its own workers with its first work: this counts them. */
let workers = 0;
self.Worker = class extends Worker {
  constructor(...parameters) {
    super(...parameters);
    workers += 1;
  }
};

let step;
let state;
let rate;
let data;
let epoch = 0;

answers({
  async open({ backend, experiment, images, labels, weights }) {
    if (!(await init(backend)).includes(backend)) throw new Error(`this browser has no ${backend}`);
    defaultDevice(backend);
    const { dataset, network, training } = experiment;
    const { height, width, channels } = dataset;
    if (training.batch_size < dataset.images) throw new Error("only full batches are written here");
    const rows = np.array(images).reshape([dataset.images, height, width, channels]);
    const targets = nn.oneHot(np.array(Int32Array.from(labels)), dataset.classes);
    data = { pixels: np.transpose(rows, [0, 3, 1, 2]), targets };
    const optimizer = OPTIMIZERS[training.optimizer.type](training);
    rate = optimizer.rate;
    const values = channelsFirst(weights, network.layers);
    const zeros = () => values.map((value) => np.zeros(value.shape));
    state = { weights: values, moments: optimizer.moments.map(zeros) };
    step = jit((state, rate, data) => {
      const loss = (weights) => crossEntropy(logits(network.layers, weights, data.pixels), data.targets);
      const [value, gradients] = valueAndGrad(loss)(state.weights.map((weight) => weight.ref));
      return [optimizer.update(state, gradients, rate), value];
    });
    await blockUntilReady([state, data]);
    return { threads: Math.max(1, workers) };
  },

  async run() {
    const start = performance.now();
    epoch += 1;
    const [next, loss] = step(state, rate(epoch), tree.ref(data));
    state = next;
    await blockUntilReady(state);
    const value = await loss.jsAsync();
    return { milliseconds: performance.now() - start, loss: value };
  },
});

function logits(layers, weights, x) {
  const left = [...weights];
  for (const { type, activation, use_bias, padding, pool } of layers) {
    if (type === "conv2d") {
      x = lax.conv(x, left.shift(), [1, 1], padding.toUpperCase());
      if (use_bias) x = x.add(left.shift().reshape([-1, 1, 1]));
    } else if (type === "max_pool") {
      x = lax.reduceWindow(x, np.max, [pool, pool], [pool, pool]);
    } else if (type === "flatten") {
      x = x.reshape([x.shape[0], -1]);
    } else if (type === "dense") {
      x = np.matmul(x, left.shift());
      if (use_bias) x = x.add(left.shift());
    } else throw new Error(`no layer for ${type}`);
    if (activation === "relu") x = nn.relu(x);
  }
  return x;
}

function crossEntropy(logits, targets) {
  const [images] = logits.shape;
  return nn
    .logSoftmax(logits)
    .mul(targets)
    .sum()
    .mul(-1 / images);
}

/** For each optimizer: the moments that it keeps for every weight, its rate at each step, and its update. */
const OPTIMIZERS = {
  sgd: ({ learning_rate }) => ({
    moments: [],
    rate: () => learning_rate,
    update: ({ weights }, gradients, rate) => {
      const next = weights.map((weight, i) => weight.sub(gradients[i].mul(rate.ref)));
      rate.dispose();
      return { weights: next, moments: [] };
    },
  }),

  adam: ({ learning_rate, optimizer: { beta_1, beta_2, epsilon } }) => ({
    moments: ["first", "second"],
    rate: (step) => (learning_rate * Math.sqrt(1 - beta_2 ** step)) / (1 - beta_1 ** step),
    update: ({ weights, moments: [first, second] }, gradients, rate) => {
      const firsts = first.map((m, i) => m.mul(beta_1).add(gradients[i].ref.mul(1 - beta_1)));
      const seconds = second.map((v, i) => v.mul(beta_2).add(np.square(gradients[i]).mul(1 - beta_2)));
      const change = (i) => firsts[i].ref.mul(rate.ref).div(np.sqrt(seconds[i].ref).add(epsilon));
      const next = weights.map((weight, i) => weight.sub(change(i)));
      rate.dispose();
      return { weights: next, moments: [firsts, seconds] };
    },
  }),
};

/** The same weights for images whose channels come first; the inputs of the first dense kernel are reordered, too. */
function channelsFirst(weights, layers) {
  const channels = layers.findLast(({ type }) => type === "conv2d").filters;
  const first = weights.findIndex(({ name, shape }) => name.startsWith("dense") && shape.length === 2);
  return weights.map(({ shape, values }, index) => {
    const value = np.array(values).reshape(shape);
    if (shape.length === 4) return np.transpose(value, [3, 2, 0, 1]);
    if (index !== first) return value;
    const side = Math.sqrt(shape[0] / channels);
    return np.transpose(value.reshape([side, side, channels, shape[1]]), [2, 0, 1, 3]).reshape(shape);
  });
}
