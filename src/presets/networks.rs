//! Other networks on the same kind of images: those that the article blames, and those that people use instead.

use super::parts::{
    alone, batch_norm, conv, conv_same, dense, experiment, flatten, max_pool, softmax,
};
use super::{Preset, PresetGroup};
use crate::experiment::{Activation, LayerConfig, OptimizerConfig};

const RELU: Option<Activation> = Some(Activation::Relu);

pub fn presets() -> Vec<Preset> {
    let network = |id, name, summary, side, layers: Vec<LayerConfig>, epochs| Preset {
        id,
        group: PresetGroup::Networks,
        name,
        summary,
        experiment: experiment(side, layers, OptimizerConfig::ADAM, 0.001, epochs),
        mistake: None,
    };
    vec![
        network(
            "vgg-mini",
            "VGG, small",
            "Does depth get in the way? Two blocks of two padded convolutions, Dense 64",
            32,
            vgg(),
            200,
        ),
        network(
            "resnet-mini",
            "ResNet, small",
            "Does batch normalisation hinder it? Two residual blocks",
            32,
            resnet(),
            200,
        ),
        network(
            "mlp",
            "MLP",
            "Are convolutions needed? Two hidden dense layers of 64 units",
            32,
            vec![flatten(), dense(64, RELU), dense(64, RELU), softmax(2)],
            200,
        ),
        network(
            "no-pooling",
            "No pooling",
            "Does pooling matter? Example 1 without its max-pool",
            32,
            vec![conv(32), flatten(), softmax(2)],
            200,
        ),
        network(
            "linear",
            "Linear",
            "Is a hidden layer needed? One dense layer alone",
            32,
            vec![flatten(), softmax(2)],
            200,
        ),
        network(
            "locally-connected",
            "Locally connected",
            "Do shared weights matter? Example 1 with separate weights at each place",
            32,
            vec![
                LayerConfig::locally_connected(8).with_activation(Activation::Relu),
                max_pool(2),
                flatten(),
                softmax(2),
            ],
            200,
        ),
    ]
}

fn vgg() -> Vec<LayerConfig> {
    let block = |filters| [conv_same(filters, RELU), conv_same(filters, RELU), max_pool(2)];
    let blocks = block(16).into_iter().chain(block(32));
    blocks.chain([flatten(), dense(64, RELU), softmax(2)]).collect()
}

/// The moving averages have momentum 0.9: with Keras' 0.99, inference needs some 500 steps before it can be trusted.
fn resnet() -> Vec<LayerConfig> {
    let relu = || alone(Activation::Relu);
    let block = || {
        [
            LayerConfig::Save {},
            conv_same(16, None),
            batch_norm(0.9),
            relu(),
            conv_same(16, None),
            batch_norm(0.9),
            LayerConfig::AddSaved {},
            relu(),
        ]
    };
    let stem = [conv_same(16, None), batch_norm(0.9), relu(), max_pool(2)];
    let head = [LayerConfig::GlobalAveragePool {}, softmax(2)];
    stem.into_iter().chain(block()).chain(block()).chain(head).collect()
}
