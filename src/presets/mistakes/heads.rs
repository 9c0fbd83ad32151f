//! Last layers and losses that do not belong together.

use super::{RELU, SIGMOID, Words, hidden, mistake, small};
use crate::experiment::{Activation, Experiment, LayerConfig, LossConfig};
use crate::presets::Preset;
use crate::presets::parts::{alone, dense, softmax};

/// Example 1 with another head.
fn with_head(head: LayerConfig, loss: LossConfig, epochs: u32) -> Experiment {
    let mut experiment = small(epochs);
    set_head(&mut experiment, vec![head]);
    experiment.training.loss = loss;
    experiment
}

fn set_head(experiment: &mut Experiment, head: Vec<LayerConfig>) {
    experiment.network.layers.pop();
    experiment.network.layers.extend(head);
}

fn sparse(from_logits: bool) -> LossConfig {
    LossConfig::SparseCategoricalCrossentropy { from_logits }
}

fn binary(from_logits: bool) -> LossConfig {
    LossConfig::BinaryCrossentropy { from_logits, label_smoothing: 0.0 }
}

fn categorical() -> LossConfig {
    LossConfig::CategoricalCrossentropy { from_logits: false, label_smoothing: 0.0 }
}

fn torch() -> LossConfig {
    LossConfig::TorchCrossEntropy { label_smoothing: 0.0 }
}

/// One sigmoid unit for two classes.
fn sigmoid() -> Experiment {
    with_head(dense(1, SIGMOID), binary(false), 100)
}

pub fn presets() -> Vec<Preset> {
    vec![
        mistake(
            Words {
                id: "one-softmax-unit",
                name: "One softmax unit",
                summary: "Dense(1, softmax) with binary cross-entropy",
                sees: "Accuracy is the share of class 1 and never moves, while the loss falls to 0.",
                does: "Softmax over one unit is 1 for every image. Keras 3 computes the loss from the score behind it, so the loss falls all the same.",
                mends: "Use sigmoid with one unit, or softmax with two.",
            },
            sigmoid(),
            |experiment| set_head(experiment, vec![softmax(1)]),
        ),
        mistake(
            Words {
                id: "one-softmax-unit-hidden",
                name: "One softmax unit, score lost",
                summary: "The same where the loss sees only the output",
                sees: "Accuracy is the share of class 1, and the loss does not move either.",
                does: "The answer is always 1: the loss stays at 15.942 times the share of class 0, as in old Keras; PyTorch clips elsewhere and stays at 100 times that share.",
                mends: "Use sigmoid with one unit, or softmax with two.",
            },
            sigmoid(),
            |experiment| set_head(experiment, vec![softmax(1), LayerConfig::Reshape {}]),
        ),
        mistake(
            Words {
                id: "one-unit-categorical",
                name: "Categorical loss on one unit",
                summary: "Dense(1, softmax) with categorical cross-entropy",
                sees: "The loss is 0 from the first epoch on, and accuracy does not move.",
                does: "The loss of one class out of one is 0 whatever the network answers; its gradient in Keras is not, and the weights run away.",
                mends: "Use sigmoid with binary cross-entropy.",
            },
            sigmoid(),
            |experiment| {
                set_head(experiment, vec![softmax(1)]);
                experiment.training.loss = categorical();
            },
        ),
        mistake(
            Words {
                id: "linear-head",
                name: "Scores taken for probabilities",
                summary: "No activation at the end, from_logits left False",
                sees: "The loss starts at several times ln K and stops at exactly ln K.",
                does: "Scores are clipped to 0 to 1 as if they were probabilities, and what is clipped has no gradient.",
                mends: "Set from_logits=True, or end with softmax.",
            },
            with_head(dense(2, None), sparse(true), 100),
            |experiment| experiment.training.loss = sparse(false),
        ),
        mistake(
            Words {
                id: "relu-head",
                name: "ReLU as the last activation",
                summary: "Dense(2, relu), classes as numbers",
                sees: "The loss stops at exactly ln K within a few epochs.",
                does: "What ReLU puts out is taken for probabilities and clipped; every unit ends at 0 and gets no gradient.",
                mends: "End with softmax.",
            },
            small(100),
            |experiment| set_head(experiment, vec![dense(2, RELU)]),
        ),
        mistake(
            Words {
                id: "relu-head-one-hot",
                name: "ReLU as the last activation, one-hot",
                summary: "Dense(2, relu), categorical cross-entropy",
                sees: "The loss stays at 16.118 times the share of wrong answers, or is not a number: it differs by seed.",
                does: "The outputs are divided by their sum: where one is 0 the other is certain, where both are it is 0 / 0.",
                mends: "End with softmax.",
            },
            with_head(softmax(2), categorical(), 100),
            |experiment| set_head(experiment, vec![dense(2, RELU)]),
        ),
        mistake(
            Words {
                id: "relu-before-softmax",
                name: "ReLU before softmax",
                summary: "Dense(2, relu), then a softmax layer",
                sees: "On most seeds the loss falls to exactly ln K and stays there; on some it learns.",
                does: "Scores below 0 are cut off: a class whose score is 0 for every image has no gradient any more.",
                mends: "Delete the ReLU of the last dense layer.",
            },
            small(100),
            |experiment| set_head(experiment, vec![dense(2, RELU), alone(Activation::Softmax)]),
        ),
        hidden(
            Words {
                id: "softmax-twice",
                name: "Softmax twice",
                summary: "A softmax layer behind a softmax activation",
                sees: "Every image is right, and the loss stops at 0.3133.",
                does: "A softmax of probabilities cannot be certain: the loss stays above ln(e + K − 1) − 1. Accuracy reaches 100 % all the same and cannot reveal the mistake; the loss can.",
                mends: "Take softmax once.",
            },
            small(300),
            |experiment| experiment.network.layers.push(alone(Activation::Softmax)),
        ),
        hidden(
            Words {
                id: "torch-loss-after-softmax",
                name: "CrossEntropyLoss after softmax",
                summary: "PyTorch's loss takes scores, and gets probabilities",
                sees: "Every image is right, and the loss stops at 0.3133.",
                does: "nn.CrossEntropyLoss takes a softmax of its own: the loss stays above ln(e + K − 1) − 1. Accuracy reaches 100 % all the same and cannot reveal the mistake; the loss can.",
                mends: "Give it the scores: delete the softmax.",
            },
            with_head(dense(2, None), torch(), 300),
            |experiment| set_head(experiment, vec![softmax(2)]),
        ),
        hidden(
            Words {
                id: "from-logits-after-softmax",
                name: "from_logits after softmax",
                summary: "Softmax at the end, and from_logits=True",
                sees: "Keras 3 warns, and training goes as it should.",
                does: "Keras finds the scores behind the softmax by itself, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Leave from_logits False behind softmax.",
            },
            small(100),
            |experiment| experiment.training.loss = sparse(true),
        ),
        hidden(
            Words {
                id: "sigmoid-per-class",
                name: "Sigmoid per class",
                summary: "Two sigmoid units with a categorical loss",
                sees: "Training goes as it should; the outputs do not add up to 1.",
                does: "Keras takes a softmax of the scores behind the sigmoids, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Use softmax, for outputs that are shares of one.",
            },
            small(100),
            |experiment| set_head(experiment, vec![dense(2, SIGMOID)]),
        ),
        hidden(
            Words {
                id: "accuracy-of-scores",
                name: "Accuracy read off scores",
                summary: "One linear unit with from_logits=True",
                sees: "Accuracy lags behind the loss.",
                does: "Keras' accuracy says class 1 where the output is above 0.5, but a score is for class 1 above 0 already. The weights are fine and it memorises all the same: this check cannot reveal the mistake.",
                mends: "End with sigmoid, or give BinaryAccuracy a threshold of 0.",
            },
            sigmoid(),
            |experiment| {
                set_head(experiment, vec![dense(1, None)]);
                experiment.training.loss = binary(true);
            },
        ),
    ]
}
