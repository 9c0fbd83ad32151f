//! Evidence in sentences.

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::{Experiment, LayerConfig, number_text};
use crate::training::{EpochMetrics, ReluLayer};

/// One piece of evidence for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Finding {
    pub kind: FindingKind,
    /// Since when it has been so.
    pub epoch: u32,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    DeadLayer,
    Diverged,
    /// Training and inference answer differently.
    ModesDiffer,
}

/// A ReLU layer none of whose units any image activates.
#[derive(Clone, Debug)]
pub(super) struct DeadLayer {
    pub layer: u32,
    name: String,
    units: u32,
    is_convolution: bool,
    since: u32,
}

impl DeadLayer {
    /// The layers that are dead in this epoch.
    pub fn in_epoch(metrics: &EpochMetrics, experiment: &Experiment) -> impl Iterator<Item = Self> {
        let is_dense = |layer: &ReluLayer| {
            let before = &experiment.network.layers[..=layer.layer as usize];
            before.iter().any(|layer| matches!(layer, LayerConfig::Flatten {}))
        };
        let dead = metrics.relu_layers.iter().filter(|layer| layer.dead == layer.units);
        dead.map(move |layer| Self {
            layer: layer.layer,
            name: layer.name.clone(),
            units: layer.units,
            is_convolution: !is_dense(layer),
            since: metrics.epoch,
        })
    }

    pub fn unit_word(&self) -> &'static str {
        if self.is_convolution { "filter" } else { "unit" }
    }

    /// Behind a dead layer every image looks the same. Without a bias on the way all logits are 0, so softmax gives each
    /// of K classes 1 / K and the loss is ln K. With one the logits are any constant, and the best constant gives each
    /// class its share: the loss is at least the entropy of the labels.
    pub fn finding(&self, experiment: &Experiment, class_counts: &[usize]) -> Finding {
        let Self { name, units, since, .. } = self;
        let word = self.unit_word();
        let consequence = if self.has_bias_behind(experiment) {
            let entropy = entropy(class_counts);
            format!(
                "Every image therefore gets the same answer, so the loss cannot fall below the entropy of the labels, {entropy:.4}."
            )
        } else {
            let classes = class_counts.len();
            let level = (classes as f64).ln();
            let share = 100.0 * class_counts[0] as f64 / class_counts.iter().sum::<usize>() as f64;
            format!(
                "Every logit is therefore 0, so the loss is exactly ln {classes} = {level:.4}, and the accuracy is the share of class 0, {share:.0} %."
            )
        };
        Finding {
            kind: FindingKind::DeadLayer,
            epoch: *since,
            text: format!(
                "Every {word} of “{name}” ({units} of {units}) has been dead since epoch {since}: no image activates it, so no gradient passes. {consequence}"
            ),
        }
    }

    /// Whether some layer between this one's output and the logits adds a bias.
    fn has_bias_behind(&self, experiment: &Experiment) -> bool {
        experiment.network.layers[self.layer as usize + 1..].iter().any(|layer| {
            matches!(
                layer,
                LayerConfig::Conv2d { use_bias: true, .. }
                    | LayerConfig::Dense { use_bias: true, .. }
            )
        })
    }
}

/// What to say where all images were right in one mode and not in the other; `right` counts them in the latest epoch, in training,
/// and in the evaluation, in inference.
pub(super) fn modes_differ(
    experiment: &Experiment,
    epoch: u32,
    [training, inference]: [u32; 2],
) -> Option<Finding> {
    let images = experiment.dataset.images;
    let has = |kind: fn(&LayerConfig) -> bool| experiment.network.layers.iter().any(kind);
    let text = if training == images && inference < images {
        if !has(|layer| matches!(layer, LayerConfig::BatchNorm { .. })) {
            return None;
        }
        format!(
            "In training all {images} images were right in the last epoch; in inference, of the same images, {inference} of {images}. Batch normalisation then takes its moving averages, which lag behind the batch's own: after so few steps a momentum below 0.9 helps."
        )
    } else if inference == images && training < images {
        let cause = if !experiment.training.augmentation.is_off() {
            "the epochs saw altered images"
        } else if has(|layer| matches!(layer, LayerConfig::Dropout { .. })) {
            "dropout was on in the epochs"
        } else {
            return None;
        };
        format!(
            "As they are, in inference, all {images} images are right; the last epoch counted {training}, for {cause}. For this check switch that off."
        )
    } else {
        return None;
    };
    Some(Finding { kind: FindingKind::ModesDiffer, epoch, text })
}

/// The entropy of the class shares, in nats.
fn entropy(class_counts: &[usize]) -> f64 {
    let images: usize = class_counts.iter().sum();
    let shares = class_counts.iter().filter(|&&count| count > 0);
    let terms = shares.map(|&count| {
        let share = count as f64 / images as f64;
        -share * share.ln()
    });
    terms.sum()
}

pub(super) fn diverged(epoch: u32, learning_rate: f64) -> Finding {
    Finding {
        kind: FindingKind::Diverged,
        epoch,
        text: format!(
            "The loss stopped being a finite number at epoch {epoch}, at a learning rate of {}: the weights grew beyond what f32 holds.",
            number_text(learning_rate)
        ),
    }
}
