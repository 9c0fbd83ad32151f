//! Losses: what is compared with the labels, and where Keras finds the logits. [`crate::training::loss`] computes them.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use super::{Activation, Experiment, LayerConfig, NetworkConfig};

/// Losses as Keras 3 computes them, and PyTorch's. [`Formula::of`] says what each becomes after which head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LossConfig {
    /// `SparseCategoricalCrossentropy`: classes as numbers.
    SparseCategoricalCrossentropy { from_logits: bool },
    /// `CategoricalCrossentropy`: classes as rows of 0 and 1.
    CategoricalCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `BinaryCrossentropy`: the number of the class for one unit, rows of 0 and 1 for more.
    BinaryCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `MeanSquaredError` against 0 and 1.
    MeanSquaredError {},
    /// PyTorch's `CrossEntropyLoss` of the network's output, which it takes for logits whatever it is.
    TorchCrossEntropy { label_smoothing: f64 },
}

/// The activation that a network ends with, where Keras' losses look past it.
///
/// Keras hangs the logits on the output of any softmax or sigmoid, and every cross-entropy takes those, whatever `from_logits`
/// says. After any other activation, or a layer in between, there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// No activation, or one that no loss looks past.
    Open,
    Softmax,
    Sigmoid,
}

/// What is computed of the network's logits or output. `t` are the targets, `K` the units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Formula {
    /// `-sum t log softmax(logits)`.
    SoftmaxOfLogits { smoothing: f64 },
    /// `-mean (t log s + (1 - t) log(1 - s))` with `s = sigmoid(logits)`.
    SigmoidOfLogits { smoothing: f64 },
    /// `-log(q_label / sum q)` with `q = clip(output)`.
    ClippedSparse,
    /// `-sum t log q` with `q = clip(output / sum output)`.
    ClippedCategorical { smoothing: f64 },
    /// `-mean (t log q + (1 - t) log(1 - q))` with `q = clip(output)`.
    ClippedBinary { smoothing: f64 },
    /// `mean (output - t)^2`.
    Squared,
    /// `-sum t log softmax(output)`: of logits that are probabilities already, where there is a head.
    SoftmaxOfOutput { smoothing: f64 },
}

impl Head {
    /// The head of a list of layers.
    pub fn of(network: &NetworkConfig) -> Self {
        match network.layers.last().and_then(LayerConfig::activation) {
            Some(Activation::Softmax) => Self::Softmax,
            Some(Activation::Sigmoid) => Self::Sigmoid,
            _ => Self::Open,
        }
    }
}

impl NetworkConfig {
    /// Units of the last dense layer; nothing where there is no dense layer.
    pub fn last_dense_units(&self) -> Option<u32> {
        self.layers.iter().rev().find_map(|layer| match layer {
            LayerConfig::Dense { units, .. } => Some(*units),
            _ => None,
        })
    }
}

impl Experiment {
    /// Numbers that the network answers with for one image: the units of its last dense layer, or one for each class where it has
    /// none.
    pub fn output_units(&self) -> u32 {
        self.network.last_dense_units().unwrap_or(self.dataset.classes)
    }
}

impl LossConfig {
    /// What a cross-entropy of Keras is told of its input; nothing for other losses.
    pub fn from_logits(&self) -> Option<bool> {
        match *self {
            Self::SparseCategoricalCrossentropy { from_logits }
            | Self::CategoricalCrossentropy { from_logits, .. }
            | Self::BinaryCrossentropy { from_logits, .. } => Some(from_logits),
            Self::MeanSquaredError {} | Self::TorchCrossEntropy { .. } => None,
        }
    }

    /// Whether one unit can answer for two classes: the loss compares it with 0 and 1.
    pub fn takes_one_unit(&self) -> bool {
        match self {
            Self::BinaryCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::MeanSquaredError {} => true,
            Self::SparseCategoricalCrossentropy { .. } | Self::TorchCrossEntropy { .. } => false,
        }
    }

    /// Whether the loss is meant for one class out of several.
    pub fn is_categorical(&self) -> bool {
        match self {
            Self::SparseCategoricalCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::TorchCrossEntropy { .. } => true,
            Self::BinaryCrossentropy { .. } | Self::MeanSquaredError {} => false,
        }
    }

    fn choices() -> Vec<Choice> {
        let (from_logits, label_smoothing) = (false, 0.0);
        let choice = |id, name, loss: Self| Choice::new(id, name, loss);
        vec![
            choice(
                "sparse_categorical_crossentropy",
                "Sparse categorical cross-entropy",
                Self::SparseCategoricalCrossentropy { from_logits },
            ),
            choice(
                "categorical_crossentropy",
                "Categorical cross-entropy",
                Self::CategoricalCrossentropy { from_logits, label_smoothing },
            ),
            choice(
                "binary_crossentropy",
                "Binary cross-entropy",
                Self::BinaryCrossentropy { from_logits, label_smoothing },
            ),
            choice("mean_squared_error", "Mean squared error", Self::MeanSquaredError {}),
            choice(
                "torch_cross_entropy",
                "PyTorch's CrossEntropyLoss",
                Self::TorchCrossEntropy { label_smoothing },
            ),
        ]
    }
}

impl Formula {
    /// What a loss becomes after a head.
    pub fn of(loss: &LossConfig, head: Head) -> Self {
        let finds_logits = |from_logits: bool| head != Head::Open || from_logits;
        match *loss {
            LossConfig::SparseCategoricalCrossentropy { from_logits } => {
                if finds_logits(from_logits) {
                    Self::SoftmaxOfLogits { smoothing: 0.0 }
                } else {
                    Self::ClippedSparse
                }
            }
            LossConfig::CategoricalCrossentropy { from_logits, label_smoothing: smoothing } => {
                if finds_logits(from_logits) {
                    Self::SoftmaxOfLogits { smoothing }
                } else {
                    Self::ClippedCategorical { smoothing }
                }
            }
            LossConfig::BinaryCrossentropy { from_logits, label_smoothing: smoothing } => {
                if finds_logits(from_logits) {
                    Self::SigmoidOfLogits { smoothing }
                } else {
                    Self::ClippedBinary { smoothing }
                }
            }
            LossConfig::MeanSquaredError {} => Self::Squared,
            LossConfig::TorchCrossEntropy { label_smoothing: smoothing } => {
                Self::SoftmaxOfOutput { smoothing }
            }
        }
    }
}

const GROUP: FieldGroup = FieldGroup::LossAndOptimizer;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(GROUP, "training.loss", "Loss", LossConfig::choices),
    Field::flag(GROUP, "training.loss.from_logits", "From logits").in_keras("from_logits"),
    Field::share(GROUP, "training.loss.label_smoothing", "Label smoothing")
        .in_keras("label_smoothing"),
];
