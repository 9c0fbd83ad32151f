//! What layers are called.

use super::{Activation, LayerConfig, NetworkConfig, Padding};

/// How a layer is called: "Conv 32, 3 × 3, ReLU".
pub fn layer_name(network: &NetworkConfig, index: usize) -> String {
    let ending = |activation: Option<Activation>| match activation {
        Some(Activation::Relu) => ", ReLU",
        Some(Activation::Softmax) => ", softmax",
        None => "",
    };
    match &network.layers[index] {
        LayerConfig::Conv2d { filters, kernel, padding, activation, .. } => {
            let same = if *padding == Padding::Same { ", same" } else { "" };
            format!("Conv {filters}, {kernel} × {kernel}{same}{}", ending(*activation))
        }
        LayerConfig::MaxPool { pool } => format!("Max pool {pool}"),
        LayerConfig::Flatten {} => "Flatten".into(),
        LayerConfig::Dense { units, activation, .. } => {
            format!("Dense {units}{}", ending(*activation))
        }
        LayerConfig::Activation { activation: Activation::Relu } => "ReLU".into(),
        LayerConfig::Activation { activation: Activation::Softmax } => "Softmax".into(),
    }
}
