//! The building blocks of presets.

use crate::experiment::{Activation, Experiment, LayerConfig, OptimizerConfig, Padding};

/// [`Experiment::default`] with other images, layers, optimizer and number of epochs.
pub fn experiment(
    side: u32,
    layers: Vec<LayerConfig>,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    epochs: u32,
) -> Experiment {
    let mut experiment = Experiment::default();
    (experiment.dataset.height, experiment.dataset.width) = (side, side);
    experiment.network.layers = layers;
    experiment.training.optimizer = optimizer;
    experiment.training.learning_rate = learning_rate;
    experiment.training.epochs = epochs;
    experiment
}

pub fn conv_with(filters: u32, padding: Padding, activation: Option<Activation>) -> LayerConfig {
    let conv = LayerConfig::conv2d(filters);
    let conv = activation.map_or(conv.clone(), |kind| conv.with_activation(kind));
    if padding == Padding::Same { conv.padded_same() } else { conv }
}

/// A 3 x 3 convolution with `valid` padding and ReLU.
pub fn conv(filters: u32) -> LayerConfig {
    conv_with(filters, Padding::Valid, Some(Activation::Relu))
}

/// A 3 x 3 convolution with `same` padding.
pub fn conv_same(filters: u32, activation: Option<Activation>) -> LayerConfig {
    conv_with(filters, Padding::Same, activation)
}

pub fn max_pool(pool: u32) -> LayerConfig {
    LayerConfig::max_pool(pool)
}

pub fn flatten() -> LayerConfig {
    LayerConfig::Flatten {}
}

pub fn dense(units: u32, activation: Option<Activation>) -> LayerConfig {
    let dense = LayerConfig::dense(units);
    activation.map_or(dense.clone(), |kind| dense.with_activation(kind))
}

pub fn softmax(units: u32) -> LayerConfig {
    dense(units, Some(Activation::Softmax))
}

/// An activation as a layer of its own.
pub fn alone(activation: Activation) -> LayerConfig {
    LayerConfig::Activation { activation }
}

/// Batch normalisation with Keras' epsilon; Keras' default momentum is 0.99.
pub fn batch_norm(momentum: f64) -> LayerConfig {
    LayerConfig::batch_norm(momentum)
}

/// The layers of the article's first example.
pub fn small_network() -> Vec<LayerConfig> {
    Experiment::default().network.layers
}
