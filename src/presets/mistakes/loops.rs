//! Mistakes in a training loop of one's own.

use super::{SIDE, Words, balanced, hidden, mistake, small};
use crate::experiment::{Activation, Experiment, OptimizerConfig, Padding};
use crate::presets::Preset;
use crate::presets::parts::{
    alone, batch_norm, conv_with, experiment, flatten, max_pool, small_network, softmax,
};

/// Example 1 with batch normalisation.
fn with_batch_norm() -> Experiment {
    let layers = vec![
        conv_with(32, Padding::Valid, None),
        batch_norm(0.9),
        alone(Activation::Relu),
        max_pool(2),
        flatten(),
        softmax(2),
    ];
    balanced(experiment(SIDE, layers, OptimizerConfig::ADAM, 0.001, 100))
}

pub fn presets() -> Vec<Preset> {
    vec![
        mistake(
            Words {
                id: "no-zero-grad",
                name: "Gradients never zeroed",
                summary: "optimizer.zero_grad() left out, momentum 0.9",
                sees: "The loss falls at first, then climbs and swings far above ln K.",
                does: "Each step takes the sum of all gradients so far: it goes on in directions that were right long ago.",
                mends: "Call optimizer.zero_grad() before each backward pass.",
            },
            balanced(experiment(SIDE, small_network(), OptimizerConfig::SGD_MOMENTUM, 0.01, 200)),
            |experiment| experiment.training.training_loop.zero_grad = false,
        ),
        hidden(
            Words {
                id: "no-zero-grad-gentle",
                name: "Gradients never zeroed, gently",
                summary: "The same with plain SGD at 0.003",
                sees: "Training is even quicker than it should be.",
                does: "The sum acts as a momentum of 1, and at a gentle rate it memorises all the same: this check cannot reveal the mistake.",
                mends: "Call optimizer.zero_grad() before each backward pass.",
            },
            balanced(experiment(SIDE, small_network(), OptimizerConfig::SGD, 0.003, 200)),
            |experiment| experiment.training.training_loop.zero_grad = false,
        ),
        mistake(
            Words {
                id: "all-frozen",
                name: "Nothing is trained",
                summary: "No layer's weights are given to the optimizer",
                sees: "The loss is the same in every epoch, to the last digit.",
                does: "Gradients are computed and nobody uses them. A missing optimizer.step() looks the same.",
                mends: "Give the optimizer every parameter, and call its step.",
            },
            small(100),
            |experiment| experiment.training.training_loop.frozen = vec![0, 3],
        ),
        hidden(
            Words {
                id: "frozen-but-head",
                name: "Frozen but for the head",
                summary: "Only the last dense layer is trained",
                sees: "Training is a little slower.",
                does: "Random features are enough to tell 20 noise images apart, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Unfreeze the other layers.",
            },
            small(200),
            |experiment| experiment.training.training_loop.frozen = vec![0],
        ),
        hidden(
            Words {
                id: "inference-mode",
                name: "Left in inference mode",
                summary: "model.eval() before training, one batch norm",
                sees: "Training goes as it should.",
                does: "The batch norm only scales by its first averages, 0 and 1; a shallow network memorises all the same, and this check cannot reveal the mistake.",
                mends: "Call model.train(), or training=True in Keras.",
            },
            with_batch_norm(),
            |experiment| experiment.training.training_loop.inference_mode = true,
        ),
        hidden(
            Words {
                id: "optimizer-recreated",
                name: "Optimizer made anew each step",
                summary: "Adam without its memory, at 0.0003",
                sees: "The loss falls more slowly than it should, in steps of equal size.",
                does: "Adam's first step is always as long as its rate in every weight; it memorises all the same, and this check cannot reveal the mistake.",
                mends: "Make the optimizer once, before the loop.",
            },
            {
                let mut experiment = small(300);
                experiment.training.learning_rate = 0.0003;
                experiment
            },
            |experiment| experiment.training.training_loop.optimizer_recreated = true,
        ),
    ]
}
