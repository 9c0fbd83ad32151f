//! The training loop, and the mistakes that people make in one of their own.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::DatasetConfig;
use super::fields::{Field, FieldGroup};
use super::layer::MOST_LAYERS;

/// Mistakes in a training loop of one's own, which no framework reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct LoopConfig {
    /// Whether gradients are set to zero before each step. PyTorch adds them up otherwise.
    pub zero_grad: bool,
    /// Layers, by their place in the list from 0, whose weights the optimizer does not get.
    pub frozen: Vec<u32>,
    /// Each image has the label of the image so many places before it; the first images have the last ones' labels.
    pub labels_rolled_by: u32,
    /// Whether each step pairs its images with its labels at random.
    pub labels_shuffled: bool,
    /// Whether each step makes its optimizer anew, without any memory.
    pub optimizer_recreated: bool,
    /// Whether the network trains as if it were in inference: batch normalisation by its moving averages, dropout off. PyTorch's
    /// `model.eval()`, Keras' `training=False`.
    pub inference_mode: bool,
}

impl LoopConfig {
    /// A loop without a mistake.
    pub const RIGHT: Self = Self {
        zero_grad: true,
        frozen: Vec::new(),
        labels_rolled_by: 0,
        labels_shuffled: false,
        optimizer_recreated: false,
        inference_mode: false,
    };
}

const GROUP: FieldGroup = FieldGroup::TrainingLoop;

pub(super) const FIELDS: &[Field] = &[
    Field::flag(GROUP, "training.loop.zero_grad", "zero_grad() each step"),
    Field::numbers(GROUP, "training.loop.frozen", "Frozen layers")
        .counted_in("places from 0")
        .in_keras("trainable"),
    Field::whole(GROUP, "training.loop.frozen[]", "Frozen layer", 0.0, (MOST_LAYERS - 1) as f64),
    Field::whole(
        GROUP,
        "training.loop.labels_rolled_by",
        "Labels rolled by",
        0.0,
        DatasetConfig::MOST_IMAGES as f64,
    )
    .counted_in("images"),
    Field::flag(GROUP, "training.loop.labels_shuffled", "Labels shuffled in each step"),
    Field::flag(GROUP, "training.loop.optimizer_recreated", "New optimizer in each step"),
    Field::flag(GROUP, "training.loop.inference_mode", "Left in inference mode"),
];
