//! Losses as Keras 3 and PyTorch compute them, and a network's answers.
//!
//! [`Formula::of`] gives the formula of a loss after a head. A loss that finds no logits takes the output for probabilities and
//! clips them to [1e-7, 1 - 1e-7]; clipped values have no gradient.

use burn::tensor::Tensor;
#[cfg(feature = "plain")]
use burn::tensor::activation;
use burn::tensor::activation::sigmoid;

use crate::backend::{Backend, Compute, floats, mapped, tensor};
use crate::experiment::{Formula, Head, LossConfig, PROBABILITY_BOUNDS};
#[cfg(feature = "plain")]
use crate::network::index_tensor;
use crate::network::{log_softmax, outputs, softmax};
use crate::operations;

/// The mean loss of a batch, and the tensor that its backward pass starts from.
pub struct Loss {
    /// The loss, in nats for cross-entropies.
    pub value: f64,
    /// A tensor `[1]`, tracked by autodiff. Its gradient is the loss's gradient; its value is not always the loss.
    pub tracked: Tensor<1>,
}

impl Loss {
    /// The weighted mean of this loss, by `share`, and of another loss of the same logits with other labels.
    pub fn mixed(self, share: f64, other: Self) -> Self {
        let tracked = self.tracked * share + other.tracked * (1.0 - share);
        Self { value: share * self.value + (1.0 - share) * other.value, tracked }
    }
}

/// The mean loss of a batch.
///
/// # Shapes
/// - logits: `[images, units]`, before the head's activation
/// - labels: one per image
pub fn loss(
    config: &LossConfig,
    head: Head,
    logits: Tensor<2>,
    labels: &[u32],
    backend: &Backend,
) -> Loss {
    let formula = Formula::of(config, head);
    let [images, units] = logits.dims();
    if formula == (Formula::SoftmaxOfLogits { smoothing: 0.0 }) && units > 1 {
        let tracked = cross_entropy(logits, labels, backend);
        return Loss { value: value_of(&tracked), tracked };
    }
    let device = logits.device();
    let targets = |smoothing: f64, over: usize| {
        let rest = (smoothing / over as f64) as f32;
        let smooth = |target: f32| target * (1.0 - smoothing as f32) + rest;
        let values = targets(labels, units).into_iter().map(smooth).collect();
        tensor(values, [images, units], &device)
    };
    let from_gradient = |value: Tensor<2>, logits: Tensor<2>, gradient: Tensor<2>, share: f64| {
        Loss { value: sum_of(value) / share, tracked: (logits * gradient.detach()).sum() / share }
    };
    let [lowest, highest] = PROBABILITY_BOUNDS;
    let clip = |output: Tensor<2>| output.clamp(lowest, highest);
    let mean = |losses: Tensor<2>, count: usize| {
        let tracked = losses.sum() / count as f64;
        Loss { value: value_of(&tracked), tracked }
    };
    match formula {
        // TensorFlow's gradient is softmax - t, also where the targets do not add up to 1.
        Formula::SoftmaxOfLogits { smoothing } | Formula::SoftmaxOfOutput { smoothing } => {
            let logits = match formula {
                Formula::SoftmaxOfLogits { .. } => logits,
                _ => outputs(head, logits),
            };
            let targets = targets(smoothing, units);
            let value = (targets.clone() * log_softmax(logits.clone())).neg();
            let gradient = softmax(logits.clone()) - targets;
            from_gradient(value, logits, gradient, images as f64)
        }
        Formula::SigmoidOfLogits { smoothing } => {
            let [value, gradient] = sigmoid_cross_entropy(&logits, targets(smoothing, 2));
            from_gradient(value, logits, gradient, (images * units) as f64)
        }
        Formula::ClippedSparse => {
            let kept = clip(logits);
            let own = (kept.clone() * targets(0.0, units)).sum_dim(1);
            mean((kept.sum_dim(1) / own).log(), images)
        }
        Formula::ClippedCategorical { smoothing } => {
            let kept = clip(logits.clone() / logits.sum_dim(1));
            mean((targets(smoothing, units) * kept.log()).neg(), images)
        }
        Formula::ClippedBinary { smoothing } => {
            mean(two_sided(clip(logits), targets(smoothing, 2)), images * units)
        }
        Formula::CategoricalFocal { alpha, gamma, smoothing, from_logits } => {
            let outputs = outputs(head, logits);
            let shares = if from_logits { softmax(outputs) } else { outputs };
            let kept = clip(shares.clone() / shares.sum_dim(1));
            let focus = (kept.clone().neg() + 1.0).powf_scalar(gamma) * alpha;
            mean((targets(smoothing, units) * kept.log()).neg() * focus, images)
        }
        Formula::BinaryFocal { alpha, gamma, smoothing, from_logits } => {
            let targets = targets(smoothing, 2);
            let others = targets.clone().neg() + 1.0;
            let outputs = outputs(head, logits.clone());
            let shares = if from_logits { sigmoid(outputs.clone()) } else { outputs.clone() };
            let right = targets.clone() * shares.clone() + others.clone() * (shares.neg() + 1.0);
            let focus = (right.neg() + 1.0).powf_scalar(gamma);
            let focus = match alpha {
                Some(alpha) => focus * (targets.clone() * alpha + others * (1.0 - alpha)),
                None => focus,
            };
            let logits = if from_logits { outputs } else { logits };
            if !from_logits && head == Head::Open {
                return mean(focus * two_sided(clip(logits), targets), images * units);
            }
            // The product rule; the second factor, the cross-entropy, has its gradient given.
            let [value, gradient] = sigmoid_cross_entropy(&logits, targets);
            let (value, gradient) = (value.detach(), gradient.detach());
            let fixed = focus.clone().detach();
            let count = (images * units) as f64;
            let tracked = focus * value.clone() + fixed.clone() * gradient * logits;
            Loss { value: sum_of(fixed * value) / count, tracked: tracked.sum() / count }
        }
        Formula::Squared => {
            mean((outputs(head, logits) - targets(0.0, units)).square(), images * units)
        }
    }
}

/// `max(x, 0) - x t + log(1 + exp(-|x|))` of each logit `x` with target `t`, and the gradient by `x`.
fn sigmoid_cross_entropy(logits: &Tensor<2>, targets: Tensor<2>) -> [Tensor<2>; 2] {
    let positive = mapped(logits.clone(), |x| if x < 0.0 { 0.0 } else { x });
    let rest = mapped(logits.clone(), |x| libm::logf(libm::expf(-x.abs()) + 1.0));
    let value = positive - logits.clone() * targets.clone() + rest;
    [value, sigmoid(logits.clone()) - targets]
}

/// `-(t log p + (1 - t) log(1 - p))` of each probability.
fn two_sided(probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let rest = (targets.clone().neg() + 1.0) * (probabilities.clone().neg() + 1.0).log();
    (targets * probabilities.log() + rest).neg()
}

/// The mean over the batch of `-log softmax(logits)[label]`.
///
/// # Shapes
/// - logits: `[images, classes]`
/// - labels: one per image
/// - returns `[1]`
fn cross_entropy(logits: Tensor<2>, labels: &[u32], backend: &Backend) -> Tensor<1> {
    match &backend.compute {
        Compute::Kernels(buffers) => operations::cross_entropy(logits, labels, buffers),
        #[cfg(feature = "plain")]
        Compute::Burn => {
            let labels = index_tensor(labels, &logits.device());
            activation::log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
        }
    }
}

fn value_of(tracked: &Tensor<1>) -> f64 {
    f64::from(floats(tracked.clone().into_data())[0])
}

/// The sum in f64, so that the mean of equal losses is exactly that loss.
fn sum_of(values: Tensor<2>) -> f64 {
    floats(values.into_data()).into_iter().map(f64::from).sum()
}

/// One-hot rows; for one unit the label itself, whatever its number.
fn targets(labels: &[u32], units: usize) -> Vec<f32> {
    let target = |label: u32, unit: usize| {
        if units == 1 { label as f32 } else { f32::from(u8::from(label as usize == unit)) }
    };
    labels.iter().flat_map(|&label| (0..units).map(move |unit| target(label, unit))).collect()
}

/// The network's answer for one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The index of a unit; with one unit, 0 or 1. With more units than classes it need not be a class's label.
    pub predicted: u32,
    /// The probability of the image's own label, as the loss understands the output. With one unit it is 0 for a label other than 0
    /// and 1, because no answer of the unit means that label.
    pub label_probability: f32,
}

/// The answer for one image's logits. As in Keras' accuracy, it is the unit with the largest output, the first of equal ones, and
/// unit 0 where the outputs are NaN. With one unit it is 1 where the output is above 0.5, otherwise 0.
pub fn answer(config: &LossConfig, head: Head, logits: &[f32], label: u32) -> Answer {
    let outputs = match head {
        Head::Open => logits.to_vec(),
        Head::Softmax => softmax_of(logits),
        Head::Sigmoid => logits.iter().map(|&logit| sigmoid_of(logit)).collect(),
    };
    let predicted = match outputs[..] {
        [output] => u32::from(output > 0.5),
        _ => first_of_the_largest(&outputs),
    };
    let probabilities = match Formula::of(config, head) {
        Formula::SoftmaxOfLogits { .. } if logits.len() > 1 => softmax_of(logits),
        Formula::SigmoidOfLogits { .. } => logits.iter().map(|&logit| sigmoid_of(logit)).collect(),
        Formula::SoftmaxOfOutput { .. } => softmax_of(&outputs),
        Formula::CategoricalFocal { from_logits: true, .. } => softmax_of(&outputs),
        Formula::BinaryFocal { from_logits: true, .. } => {
            outputs.iter().map(|&output| sigmoid_of(output)).collect()
        }
        Formula::ClippedSparse
        | Formula::ClippedCategorical { .. }
        | Formula::CategoricalFocal { .. } => {
            let sum: f32 = outputs.iter().sum();
            outputs.iter().map(|output| output / sum).collect()
        }
        _ => outputs,
    };
    let label_probability = match probabilities[..] {
        [one] if label == 0 => 1.0 - one,
        [one] if label == 1 => one,
        [_] => 0.0,
        _ => probabilities[label as usize],
    };
    Answer { predicted, label_probability }
}

fn first_of_the_largest(outputs: &[f32]) -> u32 {
    let mut largest = 0;
    for (class, &output) in outputs.iter().enumerate() {
        if output > outputs[largest] {
            largest = class;
        }
    }
    largest as u32
}

fn softmax_of(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scaled: Vec<f32> = logits.iter().map(|&logit| libm::expf(logit - highest)).collect();
    let sum: f32 = scaled.iter().sum();
    scaled.iter().map(|value| value / sum).collect()
}

fn sigmoid_of(logit: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-logit))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    const SPARSE: LossConfig = LossConfig::SparseCategoricalCrossentropy { from_logits: false };
    const BINARY: LossConfig =
        LossConfig::BinaryCrossentropy { from_logits: false, label_smoothing: 0.0 };

    /// The diagnosis uses the formulas in plain f64, training uses tensors; both have to agree.
    #[wasm_bindgen_test(unsupported = test)]
    fn the_plain_formulas_are_the_losses_of_training() {
        let from_logits = [false, true];
        let keras = from_logits.into_iter().flat_map(|from_logits| {
            let label_smoothing = 0.2;
            [
                LossConfig::SparseCategoricalCrossentropy { from_logits },
                LossConfig::CategoricalCrossentropy { from_logits, label_smoothing },
                LossConfig::BinaryCrossentropy { from_logits, label_smoothing },
                LossConfig::CategoricalFocalCrossentropy {
                    alpha: 0.5,
                    gamma: 1.5,
                    from_logits,
                    label_smoothing,
                },
                LossConfig::BinaryFocalCrossentropy {
                    apply_class_balancing: from_logits,
                    alpha: 0.25,
                    gamma: 3.0,
                    from_logits,
                    label_smoothing,
                },
            ]
        });
        let others = [
            LossConfig::MeanSquaredError {},
            LossConfig::TorchCrossEntropy { label_smoothing: 0.1 },
        ];
        let backend = crate::backend::open("flex").unwrap();
        for config in keras.chain(others) {
            for head in [Head::Open, Head::Softmax, Head::Sigmoid] {
                for logits in [vec![0.0, 0.0, 0.0], vec![0.25, 0.5, 0.75], vec![0.5], vec![0.0]] {
                    let formula = Formula::of(&config, head);
                    if logits.len() == 1 && !config.takes_one_unit() {
                        continue;
                    }
                    let labels = if logits.len() == 1 { vec![0, 1, 1] } else { vec![0, 2, 2, 1] };
                    let row: Vec<f32> = logits.iter().map(|&logit: &f64| logit as f32).collect();
                    let shape = [labels.len(), row.len()];
                    let rows = tensor(row.repeat(labels.len()), shape, &backend.device);
                    let trained = loss(&config, head, rows, &labels, &backend).value;
                    let plain =
                        labels.iter().map(|&label| formula.of_image(head, &logits, label as usize));
                    let plain = plain.sum::<f64>() / labels.len() as f64;
                    // Training computes in f32. Both are NaN where the formula divides 0 by 0.
                    let close = (plain - trained).abs() <= 2e-6 * (1.0 + plain.abs());
                    let neither = plain.is_nan() && trained.is_nan();
                    assert!(close || neither, "{config:?} {head:?} {logits:?}: {plain} {trained}");
                    let counts = if logits.len() == 1 { vec![1, 2] } else { vec![1, 1, 2] };
                    if logits.iter().all(|&logit| logit == 0.0) {
                        let zeros = formula.of_zero_logits(head, logits.len(), &counts);
                        assert!((zeros - plain).abs() < 1e-12 || neither, "{config:?} {head:?}");
                    }
                    if let Some(best) = formula.of_best_answer_to_all(logits.len(), &counts) {
                        assert!(
                            plain >= best - 1e-12,
                            "{config:?} {head:?} {logits:?}: {plain} {best}"
                        );
                    }
                }
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn answers_as_keras_does() {
        type Case<'a> = (&'a LossConfig, Head, &'a [f32], u32, u32, f32);
        let cases: &[Case] = &[
            (&SPARSE, Head::Softmax, &[0.0, 0.0], 1, 0, 0.5),
            (&SPARSE, Head::Softmax, &[1.0, 3.0], 0, 1, 0.119_202_92),
            (&SPARSE, Head::Softmax, &[1000.0, 0.0, -1000.0], 0, 0, 1.0),
            (&SPARSE, Head::Softmax, &[2.0, 2.0, 2.0, 2.0], 3, 0, 0.25),
            // The sigmoids decide the answer; the loss takes a softmax of the logits.
            (&SPARSE, Head::Sigmoid, &[1.0, 3.0], 1, 1, 0.880_797_1),
            (&BINARY, Head::Sigmoid, &[1.0], 1, 1, 0.731_058_6),
            (&BINARY, Head::Sigmoid, &[1.0], 0, 1, 0.268_941_4),
            // The softmax of one unit is always 1.
            (&BINARY, Head::Softmax, &[-5.0], 0, 1, 0.993_307_1),
            (&BINARY, Head::Open, &[0.25], 0, 0, 0.75),
            // One unit answers 0 or 1 and no other label.
            (&BINARY, Head::Sigmoid, &[1.0], 5, 1, 0.0),
            // With more units than classes, any unit can be the answer.
            (&SPARSE, Head::Softmax, &[0.0, 0.0, 50.0], 1, 2, 0.0),
        ];
        for &(loss, head, logits, label, predicted, probability) in cases {
            let answer = answer(loss, head, logits, label);
            assert_eq!(answer.predicted, predicted, "{loss:?} {head:?} {logits:?}");
            let close = (answer.label_probability - probability).abs() < 1e-6;
            assert!(close, "{loss:?} {head:?} {logits:?}: {answer:?}");
        }
        let lost = answer(&SPARSE, Head::Softmax, &[f32::NAN, 1.0], 1);
        assert_eq!(lost.predicted, 0);
        assert!(lost.label_probability.is_nan());
    }
}
