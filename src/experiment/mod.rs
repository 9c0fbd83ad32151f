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

pub use fields::{FIELDS, FieldLimit, InvalidField, label_of, number_text};
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

/// Images and labels, drawn from the seed. [`crate::dataset`] says how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// How many images to train on.
    pub images: u32,
    /// Height and width of an image, in pixels.
    pub side: u32,
    pub channels: u32,
    pub classes: u32,
    pub pixels: Pixels,
    /// Multiplies every pixel.
    pub scale: f64,
    /// Added to every pixel behind that.
    pub shift: f64,
    pub labels: Labels,
    /// Share of the labels that are replaced by another class, at random.
    pub flipped: f64,
    /// The first so many pairs of images are the same image twice, labelled 0 and 1.
    pub conflicting_pairs: u32,
    /// How many further images are held out: never trained on, measured after each epoch.
    pub validation_images: u32,
}

/// What pixels are, before scale and shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Noise, uniform in [0, 1).
    Uniform,
    /// Noise, normal with mean 0 and deviation 1.
    Normal,
    /// Every image is the same noise.
    Constant,
    /// Faint noise with a few small bright marks anywhere: upright crosses or diagonal ones.
    Patterned,
    /// Noise on stripes: upright ones or level ones.
    Stripes,
}

/// How labels are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// Each by itself, whatever the image shows.
    Random,
    /// As many of each class as of any other, in random order, whatever the image shows.
    Balanced,
    /// Each by itself, and marks or stripes are of one kind for even labels, of the other for odd ones.
    Pattern,
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
    pub early_stopping: EarlyStoppingConfig,
    pub augmentation: AugmentationConfig,
    #[serde(rename = "loop")]
    pub training_loop: LoopConfig,
}

/// When to end before the last epoch: Keras' `EarlyStopping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum EarlyStoppingConfig {
    None {},
    /// When the loss of the epochs has not fallen by more than `min_delta` below its lowest for `patience` epochs.
    Loss {
        patience: u32,
        min_delta: f64,
        restore_best_weights: bool,
    },
    /// The same of the loss of the held-out images.
    ValidationLoss {
        patience: u32,
        min_delta: f64,
        restore_best_weights: bool,
    },
}

/// What is done to each image anew in each epoch; 0 and false leave it alone. [`crate::augmentation`] says how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Left and right, every second time.
    pub horizontal_flip: bool,
    /// Up and down, every second time.
    pub vertical_flip: bool,
    /// Most share of the side, along each axis; what comes in is 0.
    pub shift: f64,
    /// Most share of the side that is cut off; what is left is stretched to the full size.
    pub crop: f64,
    /// Most degrees, either way; what comes in is 0.
    pub rotation: f64,
    /// Most that is added to every pixel, or taken away.
    pub brightness: f64,
    /// Deviation of the normal noise that is added to each pixel.
    pub noise: f64,
    /// Alpha of the beta distribution that says how much of another image of the batch, and of its label, is mixed in.
    pub mixup: f64,
}

/// Mistakes in a training loop of one's own, which nothing reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct LoopConfig {
    /// Whether gradients are set to zero before each step. PyTorch adds them up otherwise.
    pub zero_grad: bool,
    /// Layers, by their place in the list from 0, whose weights the optimizer does not have.
    pub frozen: Vec<u32>,
    /// Each image has the label of the image so many places before it; the first ones have the last ones' labels.
    pub labels_rolled_by: u32,
    /// Whether each step pairs its images with its labels at random.
    pub labels_shuffled: bool,
    /// Whether each step makes its optimizer anew, without any memory.
    pub optimizer_recreated: bool,
    /// Whether the network trains as if it were not: batch normalisation by its moving averages, dropout off. PyTorch's
    /// `model.eval()`, Keras' `training=False`.
    pub inference_mode: bool,
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

impl EarlyStoppingConfig {
    /// Whether it looks at the held-out images.
    pub fn needs_validation(&self) -> bool {
        matches!(self, Self::ValidationLoss { .. })
    }

    pub fn restores_best_weights(&self) -> bool {
        match *self {
            Self::None {} => false,
            Self::Loss { restore_best_weights, .. }
            | Self::ValidationLoss { restore_best_weights, .. } => restore_best_weights,
        }
    }
}

impl AugmentationConfig {
    pub const OFF: Self = Self {
        horizontal_flip: false,
        vertical_flip: false,
        shift: 0.0,
        crop: 0.0,
        rotation: 0.0,
        brightness: 0.0,
        noise: 0.0,
        mixup: 0.0,
    };

    /// Whether it leaves every image as it is.
    pub fn is_off(&self) -> bool {
        self.mixup == 0.0 && !self.alters_images()
    }

    /// Whether it changes images by themselves; mixup takes two.
    pub fn alters_images(&self) -> bool {
        Self { mixup: 0.0, ..self.clone() } != Self::OFF
    }
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

    /// Keras' default learning rate.
    pub fn usual_rate(&self) -> f64 {
        if matches!(self, Self::Sgd { .. }) { 0.01 } else { 0.001 }
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
    /// Whether it has anything to train.
    pub fn has_weights(&self) -> bool {
        matches!(
            self,
            Self::Conv2d { .. }
                | Self::LocallyConnected { .. }
                | Self::Dense { .. }
                | Self::BatchNorm { .. }
                | Self::LayerNorm { .. }
        )
    }

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
