//! Losses: the formula of each after each head. [`crate::training::loss`] computes them on tensors.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use super::{Activation, Experiment, LayerConfig, NetworkConfig, layer_shapes};
use crate::from_json::FromJson;

/// Keras 3's losses and PyTorch's `CrossEntropyLoss`. [`Formula::of`] gives the formula of each after each head.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LossConfig {
    /// `SparseCategoricalCrossentropy`: the targets are class indices.
    SparseCategoricalCrossentropy { from_logits: bool },
    /// `CategoricalCrossentropy`: the targets are one-hot rows.
    CategoricalCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `BinaryCrossentropy`: the targets are labels for one unit, one-hot rows for more.
    BinaryCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `CategoricalFocalCrossentropy`: the targets are one-hot rows; the surer an answer, the less it counts.
    CategoricalFocalCrossentropy { alpha: f64, gamma: f64, from_logits: bool, label_smoothing: f64 },
    /// `BinaryFocalCrossentropy`: the targets are labels for one unit, one-hot rows for more; the surer an answer, the less it
    /// counts.
    BinaryFocalCrossentropy {
        apply_class_balancing: bool,
        alpha: f64,
        gamma: f64,
        from_logits: bool,
        label_smoothing: f64,
    },
    /// `MeanSquaredError`: the targets are labels for one unit, one-hot rows for more.
    MeanSquaredError {},
    /// PyTorch's `CrossEntropyLoss`, which takes any output for logits.
    TorchCrossEntropy { label_smoothing: f64 },
}

/// The last activation of a network, where Keras' losses look past it.
///
/// Keras attaches the logits to the output of any softmax or sigmoid, and a cross-entropy that finds them takes them, whatever
/// `from_logits` says. After any other activation, or with a layer in between, it finds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// No activation, or one that Keras' losses do not look past.
    Open,
    Softmax,
    Sigmoid,
}

/// Keras' bounds of a probability. The upper one is 1 - 1e-7 rounded to f32.
pub(crate) const PROBABILITY_BOUNDS: [f64; 2] = [1e-7, 1.0 - 1.0 / (1 << 23) as f64];

/// The formula of a loss over the network's logits or output. `t` are the targets.
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
    /// `-alpha sum (1 - q)^gamma t log q` with `q = clip(p / sum p)`: `p` is the output, or its softmax where `from_logits` is set.
    CategoricalFocal { alpha: f64, gamma: f64, smoothing: f64, from_logits: bool },
    /// `mean w (t (1 - p) + (1 - t) p)^gamma c`: `p` is the output, or its sigmoid where `from_logits` is set; `c` is the binary
    /// cross-entropy that Keras computes of `p`, past the head's activation; `w` is `t alpha + (1 - t) (1 - alpha)`, or 1 without
    /// an alpha.
    BinaryFocal { alpha: Option<f64>, gamma: f64, smoothing: f64, from_logits: bool },
    /// `mean (output - t)^2`.
    Squared,
    /// `-sum t log softmax(output)`: after a softmax or sigmoid, this treats probabilities as logits.
    SoftmaxOfOutput { smoothing: f64 },
}

impl Head {
    /// The head of a network.
    pub fn of(network: &NetworkConfig) -> Self {
        match network.layers.last().and_then(LayerConfig::activation) {
            Some(Activation::Softmax) => Self::Softmax,
            Some(Activation::Sigmoid) => Self::Sigmoid,
            _ => Self::Open,
        }
    }
}

impl Experiment {
    /// The size of the network's output for one image; the number of classes where the layers do not fit.
    pub fn output_units(&self) -> u32 {
        let shapes = layer_shapes(&self.network, &self.dataset).unwrap_or_default();
        shapes.last().map_or(self.dataset.classes, |last| last.output.size() as u32)
    }
}

impl LossConfig {
    /// Whether the loss takes its input for logits; `None` for a loss without that setting.
    pub fn from_logits(&self) -> Option<bool> {
        match *self {
            Self::SparseCategoricalCrossentropy { from_logits }
            | Self::CategoricalCrossentropy { from_logits, .. }
            | Self::BinaryCrossentropy { from_logits, .. }
            | Self::CategoricalFocalCrossentropy { from_logits, .. }
            | Self::BinaryFocalCrossentropy { from_logits, .. } => Some(from_logits),
            Self::MeanSquaredError {} | Self::TorchCrossEntropy { .. } => None,
        }
    }

    /// Whether the loss looks past a softmax or sigmoid for the logits, whatever `from_logits` says. Keras' cross-entropies do; its
    /// focal losses take the output itself.
    pub fn finds_logits(&self) -> bool {
        match self {
            Self::SparseCategoricalCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::BinaryCrossentropy { .. } => true,
            Self::CategoricalFocalCrossentropy { .. }
            | Self::BinaryFocalCrossentropy { .. }
            | Self::MeanSquaredError {}
            | Self::TorchCrossEntropy { .. } => false,
        }
    }

    /// Whether the loss accepts a single unit, which it compares with the label itself. With more units, a label is a unit's index.
    pub fn takes_one_unit(&self) -> bool {
        match self {
            Self::BinaryCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::CategoricalFocalCrossentropy { .. }
            | Self::BinaryFocalCrossentropy { .. }
            | Self::MeanSquaredError {} => true,
            Self::SparseCategoricalCrossentropy { .. } | Self::TorchCrossEntropy { .. } => false,
        }
    }

    /// Whether the loss treats each unit as a separate binary answer.
    pub fn is_binary(&self) -> bool {
        match self {
            Self::BinaryCrossentropy { .. } | Self::BinaryFocalCrossentropy { .. } => true,
            Self::SparseCategoricalCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::CategoricalFocalCrossentropy { .. }
            | Self::MeanSquaredError {}
            | Self::TorchCrossEntropy { .. } => false,
        }
    }

    /// Whether the loss chooses one class out of several.
    pub fn is_categorical(&self) -> bool {
        match self {
            Self::SparseCategoricalCrossentropy { .. }
            | Self::CategoricalCrossentropy { .. }
            | Self::CategoricalFocalCrossentropy { .. }
            | Self::TorchCrossEntropy { .. } => true,
            Self::BinaryCrossentropy { .. }
            | Self::BinaryFocalCrossentropy { .. }
            | Self::MeanSquaredError {} => false,
        }
    }

    fn choices() -> Vec<Choice> {
        let (from_logits, label_smoothing) = (false, 0.0);
        let (alpha, gamma, apply_class_balancing) = (0.25, 2.0, false);
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
            choice(
                "categorical_focal_crossentropy",
                "Categorical focal cross-entropy",
                Self::CategoricalFocalCrossentropy { alpha, gamma, from_logits, label_smoothing },
            ),
            choice(
                "binary_focal_crossentropy",
                "Binary focal cross-entropy",
                Self::BinaryFocalCrossentropy {
                    apply_class_balancing,
                    alpha,
                    gamma,
                    from_logits,
                    label_smoothing,
                },
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
    /// The formula of a loss after a head.
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
            LossConfig::CategoricalFocalCrossentropy {
                alpha,
                gamma,
                from_logits,
                label_smoothing,
            } => Self::CategoricalFocal { alpha, gamma, smoothing: label_smoothing, from_logits },
            LossConfig::BinaryFocalCrossentropy {
                apply_class_balancing,
                alpha,
                gamma,
                from_logits,
                label_smoothing: smoothing,
            } => {
                let alpha = apply_class_balancing.then_some(alpha);
                Self::BinaryFocal { alpha, gamma, smoothing, from_logits }
            }
            LossConfig::MeanSquaredError {} => Self::Squared,
            LossConfig::TorchCrossEntropy { label_smoothing: smoothing } => {
                Self::SoftmaxOfOutput { smoothing }
            }
        }
    }
}

/// The formulas in plain f64, for statements about a loss without training.
impl Formula {
    /// The loss of one image with class `label` for these logits, one per unit.
    pub fn of_image(self, head: Head, logits: &[f64], label: usize) -> f64 {
        let units = logits.len();
        let [lowest, highest] = PROBABILITY_BOUNDS;
        let clip = |output: f64| output.clamp(lowest, highest);
        let two_sided = |target: f64, probability: f64| {
            -(target * probability.ln() + (1.0 - target) * (1.0 - probability).ln())
        };
        let targets = self.targets(units, label);
        let pairs = |values: Vec<f64>| targets.clone().into_iter().zip(values);
        let mean = |losses: f64| losses / units as f64;
        match self {
            Self::SoftmaxOfLogits { .. } | Self::SoftmaxOfOutput { .. } => {
                let logits = match self {
                    Self::SoftmaxOfLogits { .. } => logits.to_vec(),
                    _ => head.outputs(logits),
                };
                let logs = Head::Softmax.outputs(&logits).into_iter().map(f64::ln).collect();
                pairs(logs).map(|(target, log)| -target * log).sum()
            }
            Self::SigmoidOfLogits { .. } => {
                let outputs = Head::Sigmoid.outputs(logits);
                mean(pairs(outputs).map(|(target, output)| two_sided(target, output)).sum())
            }
            Self::ClippedSparse => {
                let kept: Vec<f64> = logits.iter().copied().map(clip).collect();
                let own: f64 = pairs(kept.clone()).map(|(target, kept)| target * kept).sum();
                (kept.iter().sum::<f64>() / own).ln()
            }
            Self::ClippedCategorical { .. } => {
                let sum: f64 = logits.iter().sum();
                let kept = logits.iter().map(|output| clip(output / sum)).collect();
                pairs(kept).map(|(target, kept)| -target * kept.ln()).sum()
            }
            Self::ClippedBinary { .. } => {
                let kept = logits.iter().copied().map(clip).collect();
                mean(pairs(kept).map(|(target, kept)| two_sided(target, kept)).sum())
            }
            Self::CategoricalFocal { alpha, gamma, from_logits, .. } => {
                let outputs = head.outputs(logits);
                let shares = if from_logits { Head::Softmax.outputs(&outputs) } else { outputs };
                let sum: f64 = shares.iter().sum();
                let kept = shares.iter().map(|share| clip(share / sum)).collect();
                let of_unit = |(target, kept): (f64, f64)| {
                    -alpha * (1.0 - kept).powf(gamma) * target * kept.ln()
                };
                pairs(kept).map(of_unit).sum()
            }
            Self::BinaryFocal { alpha, gamma, from_logits, .. } => {
                let outputs = head.outputs(logits);
                let (outputs, entropies) = match (from_logits, head) {
                    (true, _) => {
                        let outputs = Head::Sigmoid.outputs(&outputs);
                        (outputs.clone(), outputs)
                    }
                    (false, Head::Open) => {
                        let kept = outputs.iter().copied().map(clip).collect();
                        (outputs, kept)
                    }
                    (false, _) => (outputs, Head::Sigmoid.outputs(logits)),
                };
                let of_unit = |((target, output), kept): ((f64, f64), f64)| {
                    let weight =
                        alpha.map_or(1.0, |alpha| target * alpha + (1.0 - target) * (1.0 - alpha));
                    let wrong = target * (1.0 - output) + (1.0 - target) * output;
                    weight * wrong.powf(gamma) * two_sided(target, kept)
                };
                mean(pairs(outputs).zip(entropies).map(of_unit).sum())
            }
            Self::Squared => {
                let outputs = head.outputs(logits);
                mean(pairs(outputs).map(|(target, output)| (output - target).powi(2)).sum())
            }
        }
    }

    /// The mean loss where every logit of every image is 0. `class_counts` are the images of each class.
    pub fn of_zero_logits(self, head: Head, units: usize, class_counts: &[usize]) -> f64 {
        let zeros = vec![0.0; units];
        mean_over_images(class_counts, |label| self.of_image(head, &zeros, label))
    }

    /// The lowest mean loss of one answer to all images: the loss of the mean target, where that is the best answer. `None` where
    /// the best answer is not known: clipped outputs need not add up to 1.
    pub fn of_best_answer_to_all(self, units: usize, class_counts: &[usize]) -> Option<f64> {
        let share =
            |unit: usize| mean_over_images(class_counts, |label| self.targets(units, label)[unit]);
        let shares: Vec<f64> = (0..units).map(share).collect();
        let entropy = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
        let mean = |of_unit: &dyn Fn(f64) -> f64| {
            shares.iter().map(|&share| of_unit(share)).sum::<f64>() / units as f64
        };
        // One unit with labels above 1 can have a mean target above 1. Then there is no best answer: the loss falls without end.
        let are_shares = shares.iter().all(|share| (0.0..=1.0).contains(share));
        match self {
            Self::SoftmaxOfLogits { .. } | Self::SoftmaxOfOutput { .. } | Self::ClippedSparse => {
                let add_up = (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
                add_up.then(|| shares.iter().copied().map(entropy).sum())
            }
            Self::SigmoidOfLogits { .. } | Self::ClippedBinary { .. } => {
                are_shares.then(|| mean(&|share| entropy(share) + entropy(1.0 - share)))
            }
            Self::Squared => {
                let square = |unit: usize| {
                    mean_over_images(class_counts, |label| self.targets(units, label)[unit].powi(2))
                };
                let variances = (0..units).map(|unit| square(unit) - shares[unit].powi(2));
                Some(variances.sum::<f64>() / units as f64)
            }
            Self::ClippedCategorical { .. }
            | Self::CategoricalFocal { .. }
            | Self::BinaryFocal { .. } => None,
        }
    }

    /// Whether the best single answer to all images is each class's share, so that its loss is the entropy of the labels.
    pub fn best_answer_is_the_shares(self) -> bool {
        let smoothing = match self {
            Self::SoftmaxOfLogits { smoothing } | Self::SoftmaxOfOutput { smoothing } => smoothing,
            Self::ClippedSparse => 0.0,
            _ => return false,
        };
        smoothing == 0.0
    }

    /// The targets of an image with class `label`, one per unit: a one-hot row, or the label itself for one unit, both with label
    /// smoothing.
    fn targets(self, units: usize, label: usize) -> Vec<f64> {
        let (smoothing, over) = match self {
            Self::SoftmaxOfLogits { smoothing }
            | Self::SoftmaxOfOutput { smoothing }
            | Self::ClippedCategorical { smoothing }
            | Self::CategoricalFocal { smoothing, .. } => (smoothing, units),
            Self::SigmoidOfLogits { smoothing }
            | Self::ClippedBinary { smoothing }
            | Self::BinaryFocal { smoothing, .. } => (smoothing, 2),
            Self::ClippedSparse | Self::Squared => (0.0, units),
        };
        let target = |unit: usize| match units {
            1 => label as f64,
            _ => f64::from(u8::from(label == unit)),
        };
        let smooth = |unit| target(unit) * (1.0 - smoothing) + smoothing / over as f64;
        (0..units).map(smooth).collect()
    }
}

impl Head {
    /// The network's output for these logits, in plain f64.
    pub fn outputs(self, logits: &[f64]) -> Vec<f64> {
        match self {
            Self::Open => logits.to_vec(),
            Self::Sigmoid => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
            Self::Softmax => {
                let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let scaled: Vec<f64> = logits.iter().map(|logit| (logit - highest).exp()).collect();
                let sum: f64 = scaled.iter().sum();
                scaled.iter().map(|value| value / sum).collect()
            }
        }
    }
}

/// The mean of `of_class` over images, of which each class has its number in `class_counts`.
fn mean_over_images(class_counts: &[usize], of_class: impl Fn(usize) -> f64) -> f64 {
    let images: usize = class_counts.iter().sum();
    let classes = class_counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let sums = classes.map(|(label, &count)| count as f64 * of_class(label));
    sums.sum::<f64>() / images as f64
}

const GROUP: FieldGroup = FieldGroup::LossAndOptimizer;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(GROUP, "training.loss", "Loss", LossConfig::choices),
    Field::flag(GROUP, "training.loss.from_logits", "From logits").in_keras("from_logits"),
    Field::share(GROUP, "training.loss.label_smoothing", "Label smoothing")
        .in_keras("label_smoothing"),
    Field::flag(GROUP, "training.loss.apply_class_balancing", "Class balancing")
        .in_keras("apply_class_balancing"),
    Field::real(GROUP, "training.loss.alpha", "Focal alpha", 0.0, 100.0).in_keras("alpha"),
    Field::real(GROUP, "training.loss.gamma", "Focal gamma", 0.0, 100.0).in_keras("gamma"),
];
