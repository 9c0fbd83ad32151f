"""Trains an experiment with Keras, one epoch for each line on standard input, and prints a line of JSON after each.

The first line names the experiment and the file with its images, labels and initial weights. One `fit` trains all epochs and
waits between them, so that its start is not counted with every epoch.
"""

import json
import math
import sys
import time

import keras
import numpy as np
import tensorflow as tf


def say(**answer):
    print(json.dumps(answer), flush=True)


def layer(config):
    match config:
        case {"type": "conv2d", "filters": filters, "kernel": kernel, **options}:
            return keras.layers.Conv2D(filters, kernel, **options)
        case {"type": "max_pool", "pool": pool}:
            return keras.layers.MaxPooling2D(pool)
        case {"type": "flatten"}:
            return keras.layers.Flatten()
        case {"type": "dense", "units": units, **options}:
            return keras.layers.Dense(units, **options)
        case {"type": "activation", "activation": activation}:
            return keras.layers.Activation(activation)
        case {"type": "global_average_pool"}:
            return keras.layers.GlobalAveragePooling2D()
        case {"type": "batch_norm", **options}:
            return keras.layers.BatchNormalization(**options)
        case {"type": "dropout", "rate": rate}:
            return keras.layers.Dropout(rate)
    raise ValueError(f"no layer of Keras for {config}")


def network(shape, configs):
    output = inputs = keras.Input(shape)
    saved = None
    for config in configs:
        match config["type"]:
            case "save":
                saved = output
            case "add_saved":
                output = keras.layers.Add()([output, saved])
            case _:
                output = layer(config)(output)
    return keras.Model(inputs, output)


def optimizer(config, learning_rate):
    classes = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }
    # JSON writes 1.0 as 1, and Keras refuses integers.
    options = {name: float(value) if type(value) is int else value for name, value in config.items() if name != "type"}
    # Keras would compute and subtract a decay of 0. The article's scripts give none, so none is computed.
    if options.get("weight_decay") == 0:
        del options["weight_decay"]
    return classes[config["type"]](learning_rate=float(learning_rate), **options)


class Turns(keras.callbacks.Callback):
    """Reports each epoch, and waits for a line before the next."""

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        say(milliseconds=(time.perf_counter() - self.start) * 1000, loss=logs["loss"])
        if not sys.stdin.readline():
            self.model.stop_training = True
        self.start = time.perf_counter()


def main():
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    order = json.loads(sys.stdin.readline())
    dataset, training = order["experiment"]["dataset"], order["experiment"]["training"]
    shape = (dataset["height"], dataset["width"], dataset["channels"])
    with open(order["file"], "rb") as raw:
        images = np.fromfile(raw, np.float32, dataset["images"] * math.prod(shape)).reshape(-1, *shape)
        labels = np.fromfile(raw, np.uint32, dataset["images"]).astype(np.int64)
        weights = [np.fromfile(raw, np.float32, math.prod(shape)).reshape(shape) for shape in order["shapes"]]
    model = network(shape, order["experiment"]["network"]["layers"])
    model.compile(
        optimizer=optimizer(training["optimizer"], training["learning_rate"]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.set_weights(weights)
    say(
        version=f"{keras.version()} on TensorFlow {tf.version.VERSION}, Python {sys.version.split()[0]}",
        threads=tf.config.threading.get_intra_op_parallelism_threads(),
    )
    if sys.stdin.readline():
        batch_size, epochs = training["batch_size"], training["epochs"]
        model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[Turns()])


main()
