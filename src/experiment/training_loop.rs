//! Mistakes in a hand-written training loop: their type, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::DatasetConfig;
use super::fields::{Field, FieldGroup};
use super::layer::MOST_LAYERS;
use crate::from_json::FromJson;

/// Mistakes in a hand-written training loop that no framework reports.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct LoopConfig {
    /// Whether gradients are set to zero before each step. Otherwise they add up, as in PyTorch.
    pub zero_grad: bool,
    /// The indices, from 0, of layers whose weights the optimizer does not update.
    pub frozen: Vec<u32>,
    /// Each image has the label of the image this many places before it; the first images have the labels of the last ones.
    pub labels_rolled_by: u32,
    /// Whether each step pairs its images with its labels at random.
    pub labels_shuffled: bool,
    /// Whether each step uses a new optimizer, without any state.
    pub optimizer_recreated: bool,
    /// Whether the network trains in inference mode: batch normalisation by its moving averages, dropout off. PyTorch's
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
        .counted_in("indices from 0")
        .in_keras("trainable"),
    Field::whole(GROUP, "training.loop.frozen[]", "Frozen layer", 0.0, (MOST_LAYERS - 1) as f64),
    Field::whole(
        GROUP,
        "training.loop.labels_rolled_by",
        "Labels shifted by",
        0.0,
        DatasetConfig::MOST_IMAGES as f64,
    )
    .counted_in("images"),
    Field::flag(GROUP, "training.loop.labels_shuffled", "Labels shuffled in each step"),
    Field::flag(GROUP, "training.loop.optimizer_recreated", "New optimizer in each step"),
    Field::flag(GROUP, "training.loop.inference_mode", "Left in inference mode"),
];
