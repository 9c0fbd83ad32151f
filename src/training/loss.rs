//! Sparse categorical cross-entropy from logits, and what a softmax head answers.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use crate::backend::{Backend, without_kernels};
use crate::kernels;
use crate::network::index_tensor;

/// The mean over the batch of `-log softmax(logits)[label]`.
///
/// Keras finds the logits behind a softmax head and computes the loss from them, so it never clips a probability.
///
/// # Shapes
/// - logits: `[images, classes]`
/// - labels: one an image
/// - returns `[1]`
pub fn cross_entropy(logits: Tensor<2>, labels: &[u32], backend: &Backend) -> Tensor<1> {
    if let Some(buffers) = &backend.buffers {
        return kernels::cross_entropy(logits, labels, buffers);
    }
    without_kernels();
    let labels = index_tensor(labels, &logits.device());
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
}

/// What the network answers for one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    pub predicted: u32,
    /// The probability that the network gives to the image's own label.
    pub label_probability: f32,
}

/// Softmax in f32 and its largest class; the first among equals, and class 0 where the outputs are not numbers, as
/// TensorFlow's argmax answers.
pub fn answer(logits: &[f32], label: u32) -> Answer {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scaled: Vec<f32> = logits.iter().map(|&logit| (logit - highest).exp()).collect();
    let sum: f32 = scaled.iter().sum();
    let probabilities: Vec<f32> = scaled.iter().map(|value| value / sum).collect();
    let mut predicted = 0;
    for (class, &probability) in probabilities.iter().enumerate() {
        if probability > probabilities[predicted] {
            predicted = class;
        }
    }
    Answer { predicted: predicted as u32, label_probability: probabilities[label as usize] }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn answers_as_keras_does() {
        let cases: &[(&[f32], u32, u32, f32)] = &[
            (&[0.0, 0.0], 1, 0, 0.5),
            (&[1.0, 3.0], 0, 1, 0.119_202_92),
            (&[1000.0, 0.0, -1000.0], 0, 0, 1.0),
            (&[2.0, 2.0, 2.0, 2.0], 3, 0, 0.25),
        ];
        for &(logits, label, predicted, probability) in cases {
            let answer = answer(logits, label);
            assert_eq!(answer.predicted, predicted, "{logits:?}");
            assert!((answer.label_probability - probability).abs() < 1e-6, "{logits:?}");
        }
        let lost = answer(&[f32::NAN, 1.0], 1);
        assert_eq!(lost.predicted, 0);
        assert!(lost.label_probability.is_nan());
    }
}
