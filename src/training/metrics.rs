//! What an epoch measured, as plain numbers.

use serde::Serialize;
use tsify::Tsify;

/// One epoch, as Keras' `fit` reports it: means over the epoch's images, each measured in training mode before the
/// update of its own batch.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: u32,
    /// In nats. NaN or infinite when training diverged.
    pub loss: f64,
    /// Share of the images that were right, 0 to 1.
    pub accuracy: f64,
    pub images_right: u32,
    /// Of this epoch's last step, as the schedule made it.
    pub learning_rate: f64,
    /// What the schedule starts from, as it was set.
    pub base_learning_rate: f64,
    /// The l2 norm of the loss's gradient over all variables, mean over the epoch's steps.
    pub gradient_norm: f64,
    /// Wall-clock time.
    pub milliseconds: f64,
    /// An image each: the label that the network answered, which may be the label of no class where there are more units.
    pub predicted: Vec<u32>,
    /// An image each: the probability given to its own label.
    pub label_probability: Vec<f32>,
    /// One entry a ReLU layer, from the input on.
    pub relu_layers: Vec<ReluLayer>,
    /// What the network answers for these images as they are, where training does not work as inference does.
    pub inference: Option<InferenceMetrics>,
    /// Of the held-out images, where there are any.
    pub validation: Option<ValidationMetrics>,
    /// Whether early stopping ended the run with this epoch.
    pub stopped_early: bool,
    /// The epoch whose weights early stopping restored at the end of this one.
    pub restored_epoch: Option<u32>,
}

/// The trained images as they are, without alterations, in inference mode after an epoch's last update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
pub struct InferenceMetrics {
    /// Mean over the images, in nats, with what regularisation adds.
    pub loss: f64,
    /// Share of the images that were right, 0 to 1.
    pub accuracy: f64,
    pub images_right: u32,
    /// Wall-clock time of this measurement, which is part of the epoch's.
    pub milliseconds: f64,
}

/// The held-out images after an epoch's last update, in inference mode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
pub struct ValidationMetrics {
    /// Mean over the images, in nats, with what regularisation adds.
    pub loss: f64,
    /// Share of the images that were right, 0 to 1.
    pub accuracy: f64,
}

/// How many of a ReLU layer's units no image of the epoch activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ReluLayer {
    /// Its index in the network's list of layers.
    pub layer: u32,
    /// "Conv 32, 3 × 3, ReLU"
    pub name: String,
    /// Filters of a convolution, units of a dense layer.
    pub units: u32,
    pub dead: u32,
}

impl EpochMetrics {
    /// Images right as the verdict counts them: in inference where training works otherwise, as `fit` reports them where not.
    pub fn judged_right(&self) -> u32 {
        self.inference.map_or(self.images_right, |inference| inference.images_right)
    }

    /// Whether every image was right, as the verdict counts them.
    pub fn all_right(&self) -> bool {
        self.judged_right() as usize == self.predicted.len()
    }
}

/// What one layer puts out for one image, in inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Height, width and channels, or units.
    pub shape: Vec<u32>,
    /// The output, channels fastest; of the last layer the logits, before an activation that the loss looks past.
    pub values: Vec<f32>,
    /// The gradient of the image's loss by each of the values.
    pub gradients: Vec<f32>,
}

/// The network as it stands, on the images that it was trained on, in inference mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    pub loss: f64,
    pub accuracy: f64,
    pub images_right: u32,
    /// An image each: the label that the network answers, which may be the label of no class where there are more units.
    pub predicted: Vec<u32>,
    /// An image each: the probability given to its own label.
    pub label_probability: Vec<f32>,
}

impl Evaluation {
    /// Whether every image is right.
    pub fn all_right(&self) -> bool {
        self.images_right as usize == self.predicted.len()
    }
}
