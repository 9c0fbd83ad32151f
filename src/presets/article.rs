//! The article's three examples.

use super::parts::{conv, dense, experiment, flatten, max_pool, small_network, softmax};
use super::{Preset, PresetGroup};
use crate::experiment::{Activation, Experiment, LayerConfig, OptimizerConfig};

/// The examples in the article's order.
pub fn presets() -> Vec<Preset> {
    let example = |id, name, summary, experiment: Experiment| Preset {
        id,
        group: PresetGroup::Examples,
        name,
        summary,
        experiment,
        mistake: None,
    };
    let mut without_biases = small_network();
    for layer in &mut without_biases {
        if let LayerConfig::Conv2d { use_bias, .. } | LayerConfig::Dense { use_bias, .. } = layer {
            *use_bias = false;
        }
    }
    vec![
        example(
            "example-1",
            "Example 1",
            "Can one convolution do it? Adam, 500 epochs",
            Experiment::default(),
        ),
        example(
            "example-2",
            "Example 2",
            "Do three convolutions do it sooner? Adam, 500 epochs",
            experiment(64, large_network(), OptimizerConfig::ADAM, 0.001, 500),
        ),
        example(
            "example-3",
            "Example 3",
            "Why does it fail without biases and with SGD at 1.0? 1,000 epochs",
            experiment(64, without_biases, OptimizerConfig::SGD, 1.0, 1000),
        ),
    ]
}

fn large_network() -> Vec<LayerConfig> {
    vec![
        conv(32),
        max_pool(2),
        conv(64),
        max_pool(2),
        conv(128),
        flatten(),
        dense(128, Some(Activation::Relu)),
        softmax(2),
    ]
}
