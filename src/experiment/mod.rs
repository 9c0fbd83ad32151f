//! What a person asks for: images, a network, how to train it, and a seed. Plain data, no tensors.
//!
//! Every field is required on the wire; defaults live in [`crate::presets`] alone. [`Experiment::validate`] names each
//! field that is out of range before any work starts.

mod fields;
mod json;
mod names;
mod shapes;
mod validate;
mod warnings;

pub use fields::{FIELDS, FieldLimit, InvalidField, number_text};
pub(crate) use json::{pointer, visit};
pub use names::layer_name;
pub use shapes::{LayerShape, Shape, Window, layer_shapes};
pub use validate::{MEMORY_LIMIT_BYTES, estimate_memory_bytes};
pub use warnings::Warning;

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
    pub initializer: InitializerConfig,
    pub regularizer: RegularizerConfig,
    pub constraint: ConstraintConfig,
}

/// What kernels are held to after each update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConstraintConfig {
    None {},
    /// The weights of a filter or unit have at most this l2 norm: Keras' `MaxNorm`.
    MaxNorm {
        limit: f64,
    },
}

/// What weights start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct InitializerConfig {
    pub kernel: KernelInitializer,
    /// Multiplies every kernel.
    pub factor: f64,
    /// Every bias.
    pub bias: f64,
}

/// Keras' initialisers of its names. The normal ones are cut off at two standard deviations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum KernelInitializer {
    GlorotUniform {},
    GlorotNormal {},
    HeUniform {},
    HeNormal {},
    LecunUniform {},
    LecunNormal {},
    Zeros {},
    Constant { value: f64 },
}

/// What is added to the loss: each strength times the sum of the weights' magnitudes or squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct RegularizerConfig {
    /// Magnitudes of the kernels.
    pub l1: f64,
    /// Squares of the kernels.
    pub l2: f64,
    /// Squares of the biases.
    pub bias_l2: f64,
}

/// One layer. Activations stand in their layer, as `activation=` does in Keras, or alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[tsify(missing_as_null)]
pub enum LayerConfig {
    /// `Conv2D(filters, kernel, strides)`.
    Conv2d {
        filters: u32,
        kernel: u32,
        strides: u32,
        padding: Padding,
        use_bias: bool,
        activation: Option<Activation>,
    },
    /// A convolution with weights of its own at each place, `valid`, stride 1. Not in Keras 3; the window lies in row, column,
    /// channel order.
    LocallyConnected { filters: u32, kernel: u32, use_bias: bool, activation: Option<Activation> },
    /// `MaxPooling2D(pool, strides)`. With `valid` padding, what is left over at the edge is dropped.
    MaxPool { pool: u32, strides: u32, padding: Padding },
    /// `AveragePooling2D(pool, strides)`: the mean of the real pixels of each window.
    AveragePool { pool: u32, strides: u32, padding: Padding },
    /// `GlobalMaxPooling2D()`.
    GlobalMaxPool {},
    /// `GlobalAveragePooling2D()`.
    GlobalAveragePool {},
    /// Height, width, channels become one row, channels fastest.
    Flatten {},
    /// To the shape that it has. It changes nothing but that Keras' losses find no scores behind it.
    Reshape {},
    /// `Dense(units)`.
    Dense { units: u32, use_bias: bool, activation: Option<Activation> },
    /// `BatchNormalization`: by the batch in training, by moving averages in inference.
    BatchNorm { momentum: f64, epsilon: f64 },
    /// `LayerNormalization` over the channels of a pixel or the units of a row.
    LayerNorm { epsilon: f64 },
    /// `Dropout(rate)`: what is kept is scaled by 1 / (1 - rate). Off in inference.
    Dropout { rate: f64 },
    /// Keeps what flows here for the next `add_saved`.
    Save {},
    /// Adds what the last `save` kept: a residual connection.
    AddSaved {},
    /// `LeakyReLU(negative_slope)`.
    LeakyRelu { negative_slope: f64 },
    /// An activation as a layer of its own.
    Activation { activation: Activation },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// The window stays inside its input.
    Valid,
    /// The output has the input's size over the stride, rounded up; padding around it, the odd one after.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    Relu,
    /// With Keras' slope for the name, 0.2.
    LeakyRelu,
    /// With alpha 1.
    Elu,
    /// The exact one, by the error function.
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    /// Over the units, or the channels of a pixel.
    Softmax,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    pub optimizer: OptimizerConfig,
    pub loss: LossConfig,
    /// What a schedule starts from, or warms up to.
    pub learning_rate: f64,
    pub schedule: ScheduleConfig,
    pub clipping: ClippingConfig,
    /// Images a step; the last step of an epoch takes what is left.
    pub batch_size: u32,
    pub epochs: u32,
}

/// Losses as Keras 3 computes them, and PyTorch's. [`crate::training::loss`] says what each becomes behind which head: Keras finds
/// the scores behind a softmax or sigmoid, whatever `from_logits` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LossConfig {
    /// `SparseCategoricalCrossentropy`: classes as numbers.
    SparseCategoricalCrossentropy { from_logits: bool },
    /// `CategoricalCrossentropy`: classes as rows of 0 and 1.
    CategoricalCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `BinaryCrossentropy`: 0 or 1 for one unit, rows of them for more.
    BinaryCrossentropy { from_logits: bool, label_smoothing: f64 },
    /// `MeanSquaredError` against 0 and 1.
    MeanSquaredError {},
    /// PyTorch's `CrossEntropyLoss` of what the network puts out, which it takes for scores whatever it is.
    TorchCrossEntropy { label_smoothing: f64 },
}

/// The learning rate over the steps `t`, counted from 0, as `keras.optimizers.schedules` computes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduleConfig {
    Constant {},
    /// `rate * decay_rate^(t / decay_steps)`, the power a whole number on a staircase.
    Exponential {
        decay_steps: u32,
        decay_rate: f64,
        staircase: bool,
    },
    /// `rate / (1 + decay_rate * t / decay_steps)`.
    InverseTime {
        decay_steps: u32,
        decay_rate: f64,
        staircase: bool,
    },
    /// The rate up to the first boundary, then that times each factor, from the step behind each boundary on.
    Piecewise {
        boundaries: Vec<u32>,
        factors: Vec<f64>,
    },
    /// From `warmup_from` times the rate straight up to it in `warmup_steps`, then down along half a cosine to `alpha` times the
    /// rate in `decay_steps`.
    Cosine {
        warmup_steps: u32,
        warmup_from: f64,
        decay_steps: u32,
        alpha: f64,
    },
    /// From `warmup_from` times the rate straight up to it in `warmup_steps`, and no further change.
    Warmup {
        warmup_steps: u32,
        warmup_from: f64,
    },
}

/// What is done to gradients before the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClippingConfig {
    None {},
    /// Each variable's gradient is scaled to at most this l2 norm: Keras' `clipnorm`.
    Norm {
        limit: f64,
    },
    /// Each number lies between minus and plus the limit: Keras' `clipvalue`.
    Value {
        limit: f64,
    },
    /// All gradients together are scaled to at most this l2 norm: Keras' `global_clipnorm`.
    GlobalNorm {
        limit: f64,
    },
}

/// Optimizers with Keras' formulas and names; [`crate::training::optimizer`] writes the formulas out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerConfig {
    Adam {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        amsgrad: bool,
    },
    AdamW {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        amsgrad: bool,
        /// Decoupled; Keras applies it to every variable, biases too.
        weight_decay: f64,
    },
    Nadam {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
    },
    Adagrad {
        initial_accumulator_value: f64,
        epsilon: f64,
    },
    Lion {
        beta_1: f64,
        beta_2: f64,
    },
    Sgd {
        momentum: f64,
        nesterov: bool,
        /// Decoupled; Keras applies it to every variable, biases too.
        weight_decay: f64,
    },
    RmsProp {
        rho: f64,
        momentum: f64,
        epsilon: f64,
        /// Divides by the deviation from the gradient's mean, not from zero.
        centered: bool,
    },
}

impl Activation {
    /// As Keras names it, and the wire.
    pub fn keras_name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "ReLU",
            Self::LeakyRelu => "leaky ReLU",
            Self::Elu => "ELU",
            Self::Gelu => "GELU",
            Self::Silu => "SiLU",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
        }
    }
}

impl OptimizerConfig {
    /// The class in `keras.optimizers`.
    pub fn keras_name(&self) -> &'static str {
        match self {
            Self::Adam { .. } => "Adam",
            Self::AdamW { .. } => "AdamW",
            Self::Nadam { .. } => "Nadam",
            Self::Adagrad { .. } => "Adagrad",
            Self::Lion { .. } => "Lion",
            Self::Sgd { .. } => "SGD",
            Self::RmsProp { .. } => "RMSprop",
        }
    }

    /// How many tensors of a variable's size the optimizer keeps beside it.
    pub fn slots(&self) -> u64 {
        match self {
            Self::Adam { amsgrad, .. } | Self::AdamW { amsgrad, .. } => 2 + u64::from(*amsgrad),
            Self::Nadam { .. } => 2,
            Self::Adagrad { .. } | Self::Lion { .. } => 1,
            Self::RmsProp { momentum, centered, .. } => {
                1 + u64::from(*centered) + u64::from(*momentum != 0.0)
            }
            Self::Sgd { momentum, .. } => u64::from(*momentum != 0.0),
        }
    }
}

impl LayerConfig {
    /// The activation that this layer ends with.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv2d { activation, .. }
            | Self::LocallyConnected { activation, .. }
            | Self::Dense { activation, .. } => *activation,
            Self::Activation { activation } => Some(*activation),
            _ => None,
        }
    }
}
