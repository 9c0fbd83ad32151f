import { expect, test } from "@playwright/test";
import type { EpochMetrics } from "overfit-lab";
import { History, keepWithin } from "../src/history";

const metrics = (epoch: number): EpochMetrics => ({
  epoch,
  loss: 1 / epoch,
  accuracy: 0.5,
  images_right: 1,
  learning_rate: 0.001,
  base_learning_rate: 0.001,
  gradient_norm: 2,
  milliseconds: 4,
  predicted: [0, 1],
  label_probability: [0.25, 0.75],
  relu_layers: [],
  inference: null,
  validation: null,
  stopped_early: false,
  restored_epoch: null,
});
const historyOf = (epochs: number) => {
  const history = new History(2);
  for (let epoch = 1; epoch <= epochs; epoch++) history.push(metrics(epoch));
  return history;
};

test("a history keeps every epoch, however many", () => {
  const history = historyOf(1000);
  history.close();
  expect([history.length, history.epoch.length]).toEqual([1000, 1000]);
  expect([history.epoch[999], history.loss[999]]).toEqual([1000, 0.001]);
  expect(history.labelProbability.length).toBe(2000);
  expect(history.labelProbability[1999]).toBe(0.75);
  expect(history.recentMilliseconds()).toBe(4);
});

test("a history keeps the measures on held-out images, if there are any", () => {
  expect(historyOf(3).heldOut).toBeNull();
  const history = new History(2);
  for (let epoch = 1; epoch <= 1000; epoch++)
    history.push({ ...metrics(epoch), validation: { loss: epoch, accuracy: epoch / 1000 } });
  history.close();
  expect([history.heldOut?.loss.length, history.heldOut?.loss[999]]).toEqual([1000, 1000]);
  history.thin();
  expect([history.heldOut?.accuracy[0], history.heldOut?.accuracy[history.length - 1]]).toEqual([0.001, 1]);
});

test("a history keeps the measures in inference, if training differs", () => {
  const history = new History(2);
  for (let epoch = 1; epoch <= 600; epoch++)
    history.push({ ...metrics(epoch), inference: { loss: epoch, accuracy: 1, images_right: 2, milliseconds: 1 } });
  history.close();
  expect([history.inference?.loss[599], history.inference?.accuracy.length, history.heldOut]).toEqual([600, 600, null]);
});

test("a thinned history keeps its first and last epoch", () => {
  for (const epochs of [1, 2, 7, 8]) {
    const history = historyOf(epochs);
    history.thin();
    expect([history.epoch[0], history.epoch[history.length - 1]]).toEqual([1, epochs]);
    expect(history.remembersImages).toBe(false);
  }
});

test("earlier runs are made smaller only as far as needed, the oldest first", () => {
  const histories = [historyOf(400), historyOf(400), historyOf(400)];
  histories.forEach((history) => history.close());
  const each = histories[0]?.bytes ?? 0;
  keepWithin(3 * each, histories);
  expect(histories.map((history) => history.remembersImages)).toEqual([true, true, true]);
  keepWithin(3 * each - 1, histories);
  expect(histories.map((history) => history.remembersImages)).toEqual([false, true, true]);
  keepWithin(0, histories);
  expect(histories.map((history) => history.length)).toEqual([201, 201, 201]);
});
