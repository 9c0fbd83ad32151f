//! What layers are called.

use super::{Activation, LayerConfig, NetworkConfig, Padding};

/// How a layer is called: "Conv 32, 3 × 3, ReLU".
pub fn layer_name(network: &NetworkConfig, index: usize) -> String {
    let ending = |activation: Option<Activation>| {
        activation.map_or(String::new(), |activation| format!(", {}", activation.name()))
    };
    let window = |strides: u32, usual: u32, padding: Padding| {
        let strides = if strides == usual { String::new() } else { format!(", stride {strides}") };
        let same = if padding == Padding::Same { ", same" } else { "" };
        format!("{strides}{same}")
    };
    match &network.layers[index] {
        LayerConfig::Conv2d { filters, kernel, strides, padding, activation, .. } => {
            let window = window(*strides, 1, *padding);
            format!("Conv {filters}, {kernel} × {kernel}{window}{}", ending(*activation))
        }
        LayerConfig::LocallyConnected { filters, kernel, activation, .. } => {
            format!("Locally connected {filters}, {kernel} × {kernel}{}", ending(*activation))
        }
        LayerConfig::MaxPool { pool, strides, padding } => {
            format!("Max pool {pool}{}", window(*strides, *pool, *padding))
        }
        LayerConfig::AveragePool { pool, strides, padding } => {
            format!("Average pool {pool}{}", window(*strides, *pool, *padding))
        }
        LayerConfig::GlobalMaxPool {} => "Global max pool".into(),
        LayerConfig::GlobalAveragePool {} => "Global average pool".into(),
        LayerConfig::Flatten {} => "Flatten".into(),
        LayerConfig::Reshape {} => "Reshape".into(),
        LayerConfig::Dense { units, activation, .. } => {
            format!("Dense {units}{}", ending(*activation))
        }
        LayerConfig::BatchNorm { .. } => "Batch norm".into(),
        LayerConfig::LayerNorm { .. } => "Layer norm".into(),
        LayerConfig::Dropout { rate } => format!("Dropout {rate}"),
        LayerConfig::Save {} => "Save".into(),
        LayerConfig::AddSaved {} => "Add saved".into(),
        LayerConfig::LeakyRelu { negative_slope } => format!("Leaky ReLU {negative_slope}"),
        LayerConfig::Activation { activation } => {
            let name = activation.name();
            let first = name[..1].to_uppercase();
            format!("{first}{}", &name[1..])
        }
    }
}
