//! The end of a network as a loss sees it.

use super::FROM_LOGITS;
use crate::causes::{Warning, set};
use crate::experiment::{Activation, Experiment, LayerConfig, LossConfig};

/// The last layer and activation of a network.
pub(super) struct Ending {
    /// The last layer's index.
    pub layer: usize,
    pub activation: Option<Activation>,
    /// The index of the layer before the last, where the last is an activation layer; otherwise of the last.
    pub layer_before: usize,
    /// The activation of the layer before the last, where the last is an activation layer.
    pub before: Option<Activation>,
    pub units: u32,
    /// Whether a layer after the activation hides the logits from Keras' losses.
    pub hidden: bool,
}

impl Ending {
    pub fn of(experiment: &Experiment) -> Self {
        let layers = &experiment.network.layers;
        let hidden = matches!(layers.last(), Some(LayerConfig::Reshape {}));
        let ending: Vec<(usize, Option<Activation>)> = layers
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, layer)| !matches!(layer, LayerConfig::Reshape {}))
            .map(|(index, layer)| (index, layer.activation()))
            .collect();
        let (layer, activation) = ending.first().copied().unwrap_or_default();
        // An activation layer follows the activation of the layer before it.
        let alone = matches!(layers[layer], LayerConfig::Activation { .. });
        let (layer_before, before) = match ending.get(1) {
            Some(&(index, before)) if alone => (index, before),
            _ => (layer, None),
        };
        Self { layer, activation, layer_before, before, units: experiment.output_units(), hidden }
    }

    pub fn field(&self) -> String {
        format!("network.layers[{}]", self.layer)
    }

    pub fn activation_field(&self) -> String {
        format!("{}.activation", self.field())
    }

    /// Gives the last dense layer this many units.
    pub fn set_units(&self, experiment: &mut Experiment, count: u32) {
        let layers = experiment.network.layers.iter_mut().rev();
        for layer in layers {
            if let LayerConfig::Dense { units, .. } = layer {
                *units = count;
                return;
            }
        }
    }

    /// A warning of an activation that is applied twice, with the settings that apply it once: without the last layer where that is
    /// the second activation, otherwise with a loss that matches the outputs.
    pub fn without_one(
        &self,
        code: &'static str,
        message: String,
        experiment: &Experiment,
    ) -> Warning {
        Warning::new(code, self.field(), message).tried(experiment, |mended| {
            if self.before == self.activation {
                mended.network.layers.truncate(self.layer);
                Ok(())
            } else if has_from_logits(&experiment.training.loss) {
                set(mended, &[(FROM_LOGITS, "false")])
            } else {
                set(mended, &[(&self.activation_field(), "none")])
            }
        })
    }
}

/// The activations that Keras' losses look past.
pub(super) fn is_head(activation: Activation) -> bool {
    matches!(activation, Activation::Softmax | Activation::Sigmoid)
}

pub(super) fn has_from_logits(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(true)
}

/// Whether the loss takes outputs for probabilities and clips them where it finds no logits.
pub(super) fn takes_probabilities(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(false)
}

/// Whether the loss takes the network's outputs for logits, although a softmax or sigmoid has made them.
pub(super) fn takes_outputs_for_logits(loss: &LossConfig, head: &Ending) -> bool {
    let told_so = has_from_logits(loss) && (head.hidden || !loss.finds_logits());
    matches!(loss, LossConfig::TorchCrossEntropy { .. }) || told_so
}
