// Trains with TensorFlow.js' layers, on the given backend.
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import { answers } from "../answers.mjs";
import { processor } from "./processor.mjs";

let fit;

answers({
  async open({ backend, experiment, images, labels, weights }) {
    setWasmPaths("/packages/@tensorflow/tfjs-backend-wasm/dist/");
    if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
    const { dataset, network, training } = experiment;
    const shape = [dataset.height, dataset.width, dataset.channels];
    const model = tf.sequential();
    network.layers.forEach((config, index) => model.add(layer(config, index === 0 ? { inputShape: shape } : {})));
    model.compile({ optimizer: optimizer(training), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    model.setWeights(weights.map(({ shape, values }) => tf.tensor(values, shape)));
    const inputs = tf.tensor(images, [dataset.images, ...shape]);
    const answers = tf.tensor(Float32Array.from(labels), [dataset.images, 1]);
    const options = { batchSize: training.batch_size, epochs: 1, verbose: 0, yieldEvery: "never" };
    fit = () => model.fit(inputs, answers, options);
    return { threads: backend === "cpu" ? 1 : undefined, ...(await processor(backend)) };
  },

  /** The loss is read back from the device, so the epoch's work is finished when the loss is there. */
  async run() {
    const start = performance.now();
    const { history } = await fit();
    return { milliseconds: performance.now() - start, loss: history.loss[0] };
  },
});

function layer({ type, ...config }, options) {
  const { activation, use_bias: useBias } = config;
  const common = { ...options, activation: activation ?? undefined, useBias };
  switch (type) {
    case "conv2d":
      return tf.layers.conv2d({
        ...common,
        filters: config.filters,
        kernelSize: config.kernel,
        padding: config.padding,
      });
    case "max_pool":
      return tf.layers.maxPooling2d({ ...options, poolSize: config.pool });
    case "flatten":
      return tf.layers.flatten(options);
    case "dense":
      return tf.layers.dense({ ...common, units: config.units });
    default:
      throw new Error(`no layer for ${type}`);
  }
}

function optimizer({ optimizer, learning_rate }) {
  switch (optimizer.type) {
    case "adam":
      return tf.train.adam(learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon);
    case "sgd":
      return tf.train.sgd(learning_rate);
    default:
      throw new Error(`no optimizer for ${optimizer.type}`);
  }
}
