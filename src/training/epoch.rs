//! An epoch in training: the remaining batches, and the sums over the steps so far.

use super::metrics::ReluLayer;
use super::session::StepMetrics;
use crate::probes::ActiveUnits;

/// An epoch with steps that are still to be trained.
pub(super) struct EpochUnderWay {
    /// Every image once, in the order of this epoch.
    order: Vec<u32>,
    batch_size: usize,
    /// The number of images trained so far.
    trained: usize,
    pub sums: EpochSums,
    /// The wall-clock time of the steps so far.
    pub milliseconds: f64,
}

impl EpochUnderWay {
    pub fn new(order: Vec<u32>, batch_size: usize, relu_layers: &[ReluLayer]) -> Self {
        let sums = EpochSums::new(order.len(), relu_layers);
        Self { order, batch_size, trained: 0, sums, milliseconds: 0.0 }
    }

    /// The images of the next batch, and the sums to which its step is added; `None` after the last, which has the remaining
    /// images.
    pub fn next_batch(&mut self) -> Option<(&[u32], &mut EpochSums)> {
        let rest = &self.order[self.trained..];
        let batch = &rest[..self.batch_size.min(rest.len())];
        self.trained += batch.len();
        (!batch.is_empty()).then_some((batch, &mut self.sums))
    }

    pub fn is_complete(&self) -> bool {
        self.trained == self.order.len()
    }

    pub fn images(&self) -> usize {
        self.order.len()
    }
}

/// The sums over an epoch's steps.
pub(super) struct EpochSums {
    pub loss: f64,
    pub gradient_norm: f64,
    pub steps: u32,
    pub right: u32,
    pub predicted: Vec<u32>,
    pub label_probability: Vec<f32>,
    pub active: ActiveUnits,
}

impl EpochSums {
    fn new(images: usize, relu_layers: &[ReluLayer]) -> Self {
        Self {
            loss: 0.0,
            gradient_norm: 0.0,
            steps: 0,
            right: 0,
            predicted: vec![0; images],
            label_probability: vec![0.0; images],
            active: ActiveUnits::of(
                relu_layers.iter().map(|layer| (layer.layer as usize, layer.units as usize)),
            ),
        }
    }

    pub fn add(&mut self, batch: &[u32], step: &StepMetrics) {
        self.loss += step.loss * batch.len() as f64;
        self.gradient_norm += step.gradient_norm;
        self.steps += 1;
        for ((&image, answer), &label) in batch.iter().zip(&step.answers).zip(&step.labels) {
            self.right += u32::from(answer.predicted == label);
            self.predicted[image as usize] = answer.predicted;
            self.label_probability[image as usize] = answer.label_probability;
        }
    }

    /// A ReLU layer with the number of its units that no image activated.
    pub fn seen(&self, layer: &ReluLayer) -> ReluLayer {
        ReluLayer { dead: self.active.dead(layer.layer as usize) as u32, ..layer.clone() }
    }
}
