//! What a person asks for: images, a network, how to train it, and a seed. Plain data, no tensors.
//!
//! Every field is required on the wire; defaults live in [`crate::presets`] alone. [`Experiment::validate`] names each
//! field that is out of range before any work starts.

mod fields;
mod json;
mod names;
mod shapes;
mod validate;

pub use fields::{FIELDS, FieldLimit, InvalidField, number_text};
pub(crate) use json::{pointer, visit};
pub use names::layer_name;
pub use shapes::{LayerShape, Shape, layer_shapes};
pub use validate::{MEMORY_LIMIT_BYTES, estimate_memory_bytes};

use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// One training run, described completely: the same experiment gives the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
#[tsify(missing_as_null)]
pub struct Experiment {
    pub dataset: DatasetConfig,
    pub network: NetworkConfig,
    pub training: TrainingConfig,
    /// Decides images, labels, initial weights and the order of batches, each from a stream of its own.
    pub seed: u32,
}

/// Uniform random images in [0, 1) with random labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// How many images.
    pub images: u32,
    /// Height and width of an image, in pixels.
    pub side: u32,
    pub channels: u32,
    pub classes: u32,
}

/// The network as a list of layers, in Keras' terms and with Keras' names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
#[tsify(missing_as_null)]
pub struct NetworkConfig {
    pub layers: Vec<LayerConfig>,
}

/// One layer. Activations stand in their layer, as `activation=` does in Keras, or alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[tsify(missing_as_null)]
pub enum LayerConfig {
    /// `Conv2D(filters, kernel)`, stride 1.
    Conv2d {
        filters: u32,
        kernel: u32,
        padding: Padding,
        use_bias: bool,
        activation: Option<Activation>,
    },
    /// `MaxPooling2D(pool)`: windows side by side, what is left over at the edge is dropped.
    MaxPool { pool: u32 },
    /// Height, width, channels become one row, channels fastest.
    Flatten {},
    /// `Dense(units)`.
    Dense { units: u32, use_bias: bool, activation: Option<Activation> },
    /// An activation as a layer of its own.
    Activation { activation: Activation },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// The kernel stays inside its input.
    Valid,
    /// The output is as large as the input; zeros around it, the odd one after.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    Relu,
    /// Only as the network's head: the loss is computed from the logits behind it, as in Keras.
    Softmax,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    pub optimizer: OptimizerConfig,
    pub learning_rate: f64,
    /// Images a step; the last step of an epoch takes what is left.
    pub batch_size: u32,
    pub epochs: u32,
}

/// Optimizers with Keras' formulas and names; [`crate::training::optimizer`] writes the formulas out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerConfig {
    Adam {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
    },
    AdamW {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        /// Decoupled; Keras applies it to every variable, biases too.
        weight_decay: f64,
    },
    Sgd {
        momentum: f64,
        nesterov: bool,
        /// Decoupled; Keras applies it to every variable, biases too.
        weight_decay: f64,
    },
    RmsProp {
        rho: f64,
        epsilon: f64,
    },
}

impl Experiment {}

impl OptimizerConfig {
    /// The class in `keras.optimizers`.
    pub fn keras_name(&self) -> &'static str {
        match self {
            Self::Adam { .. } => "Adam",
            Self::AdamW { .. } => "AdamW",
            Self::Sgd { .. } => "SGD",
            Self::RmsProp { .. } => "RMSprop",
        }
    }

    /// How many tensors of a variable's size the optimizer keeps beside it.
    pub fn slots(&self) -> u64 {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            Self::RmsProp { .. } => 1,
            Self::Sgd { momentum, .. } => u64::from(*momentum != 0.0),
        }
    }
}

impl LayerConfig {
    /// The activation that this layer ends with.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv2d { activation, .. } | Self::Dense { activation, .. } => *activation,
            Self::Activation { activation } => Some(*activation),
            Self::MaxPool { .. } | Self::Flatten {} => None,
        }
    }
}
