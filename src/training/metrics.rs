//! The measurements of an epoch and of an evaluation, as plain numbers.

use serde::Serialize;
use tsify::Tsify;

/// One epoch as Keras' `fit` reports it: means over the epoch's images, each measured in training mode before the update of the
/// image's batch.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct EpochMetrics {
    /// The epoch's number, from 1.
    pub epoch: u32,
    /// The mean loss, in nats for cross-entropies. NaN or infinite when training diverged.
    pub loss: f64,
    /// The share of images that were right, 0 to 1.
    pub accuracy: f64,
    pub images_right: u32,
    /// The scheduled learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The learning rate that the schedule starts from.
    pub base_learning_rate: f64,
    /// The l2 norm of the loss's gradient over all variables, averaged over the epoch's steps.
    pub gradient_norm: f64,
    /// The wall-clock time of the epoch.
    pub milliseconds: f64,
    /// The network's answer for each image. With more units than classes it need not be a class's label.
    pub predicted: Vec<u32>,
    /// The probability that the network gave to each image's own label.
    pub label_probability: Vec<f32>,
    /// One entry per ReLU layer, in the order of the network.
    pub relu_layers: Vec<ReluLayer>,
    /// The evaluation of the unaugmented images in inference mode, where training differs from inference.
    pub inference: Option<InferenceMetrics>,
    /// The evaluation of the held-out images, where there are any.
    pub validation: Option<ValidationMetrics>,
    /// Whether early stopping ended the run with this epoch.
    pub stopped_early: bool,
    /// The epoch whose weights early stopping restored at the end of this epoch.
    pub restored_epoch: Option<u32>,
}

/// The unaugmented training images in inference mode, after an epoch's last update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
pub struct InferenceMetrics {
    /// The mean loss, in nats for cross-entropies, with the penalty of regularisation.
    pub loss: f64,
    /// The share of images that were right, 0 to 1.
    pub accuracy: f64,
    pub images_right: u32,
    /// The wall-clock time of this evaluation, which is part of the epoch's time.
    pub milliseconds: f64,
}

/// The held-out images in inference mode, after an epoch's last update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
pub struct ValidationMetrics {
    /// The mean loss, in nats for cross-entropies, with the penalty of regularisation.
    pub loss: f64,
    /// The share of images that were right, 0 to 1.
    pub accuracy: f64,
}

/// The number of a ReLU layer's units that no image of the epoch activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ReluLayer {
    /// The layer's index in the network's list of layers.
    pub layer: u32,
    /// "Conv 32, 3 × 3, ReLU"
    pub name: String,
    /// Filters of a convolution, units of a dense layer.
    pub units: u32,
    pub dead: u32,
}

impl EpochMetrics {
    /// The number of right images that the verdict uses: in inference mode where training differs from it, otherwise as `fit`
    /// reports it.
    pub fn judged_right(&self) -> u32 {
        self.inference.map_or(self.images_right, |inference| inference.images_right)
    }

    /// Whether every image was right by the verdict's count.
    pub fn all_right(&self) -> bool {
        self.judged_right() as usize == self.predicted.len()
    }
}

/// The output of one layer for one image in inference mode, and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Height, width and channels, or units.
    pub shape: Vec<u32>,
    /// The output, channels fastest. For the last layer these are the logits, before an activation that the loss looks past.
    pub values: Vec<f32>,
    /// The gradient of the image's loss by each value.
    pub gradients: Vec<f32>,
}

/// The current network evaluated on its training images, in inference mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    pub loss: f64,
    pub accuracy: f64,
    pub images_right: u32,
    /// The network's answer for each image. With more units than classes it need not be a class's label.
    pub predicted: Vec<u32>,
    /// The probability that the network gives to each image's own label.
    pub label_probability: Vec<f32>,
}

impl Evaluation {
    /// Whether every image is right.
    pub fn all_right(&self) -> bool {
        self.images_right as usize == self.predicted.len()
    }
}
