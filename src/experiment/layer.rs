//! Layers: the fields of each kind and every plain fact about it. [`crate::network`] computes them.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup, InvalidField, layer_of};
use super::fusion::Fusible;
use super::initializer::{Fans, KernelInitializer};
use super::shapes::{LayerShape, Shape, Window};
use crate::from_json::FromJson;

/// The largest number of layers in an experiment.
pub(super) const MOST_LAYERS: usize = 64;

/// The largest stride of a convolution; a pool may have larger ones.
const MOST_CONV_STRIDES: u32 = 4;

/// Keras' default epsilon of its normalisations.
const NORM_EPSILON: f64 = 1e-3;

/// One layer. An activation is part of a layer, as `activation=` in Keras, or a layer of its own.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
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
        /// The layer's own initializer; the network's where it is `None`.
        #[serde(default)]
        kernel_initializer: Option<KernelInitializer>,
    },
    /// A convolution with its own weights at each place, `valid`, stride 1. Keras 3 has no such layer. The inputs of a window lie
    /// in row, column, channel order.
    LocallyConnected {
        filters: u32,
        kernel: u32,
        use_bias: bool,
        activation: Option<Activation>,
        #[serde(default)]
        kernel_initializer: Option<KernelInitializer>,
    },
    /// `MaxPooling2D(pool, strides)`. With `valid` padding, rows and columns that fill no window are dropped.
    MaxPool { pool: u32, strides: u32, padding: Padding },
    /// `AveragePooling2D(pool, strides)`: the mean of the pixels of each window, without padding.
    AveragePool { pool: u32, strides: u32, padding: Padding },
    /// `GlobalMaxPooling2D()`.
    GlobalMaxPool {},
    /// `GlobalAveragePooling2D()`.
    GlobalAveragePool {},
    /// Turns height, width and channels into one row, channels fastest.
    Flatten {},
    /// A reshape to the same shape. Its only effect is that Keras' losses find no logits after it.
    Reshape {},
    /// `Dense(units)`.
    Dense {
        units: u32,
        use_bias: bool,
        activation: Option<Activation>,
        #[serde(default)]
        kernel_initializer: Option<KernelInitializer>,
    },
    /// `BatchNormalization`: by the batch's statistics in training, by moving averages in inference.
    BatchNorm { momentum: f64, epsilon: f64 },
    /// `LayerNormalization` over the channels of a pixel or the units of a row.
    LayerNorm { epsilon: f64 },
    /// `GroupNormalization(groups)`: by the mean and variance of each group of neighbouring channels or units of an image.
    GroupNorm { groups: u32, epsilon: f64 },
    /// `Dropout(rate)`: kept values are scaled by 1 / (1 - rate). Off in inference.
    Dropout { rate: f64 },
    /// Saves its input for the next `add_saved`.
    Save {},
    /// Adds the input of the last `save`: a residual connection.
    AddSaved {},
    /// `LeakyReLU(negative_slope)`.
    LeakyRelu { negative_slope: f64 },
    /// An activation as a layer of its own.
    Activation { activation: Activation },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromJson, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// The window stays inside its input.
    Valid,
    /// The output has the input's size over the stride, rounded up. Zeros surround the input, an odd one at its bottom or right.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromJson, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    Relu,
    /// The slope is [`Activation::LEAKY_SLOPE`], as for Keras' name.
    LeakyRelu,
    /// Alpha is 1.
    Elu,
    /// The exact formula, by the error function.
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    /// A softmax over the units, or over the channels of a pixel.
    Softmax,
}

/// The numbers over which a layer normalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Each channel or unit by its mean and variance over the batch; in inference by moving averages.
    OfTheBatch,
    /// Each image by its own mean and variance.
    OfTheImage,
}

impl Activation {
    /// Keras' slope of `activation="leaky_relu"`; Keras' layer `LeakyReLU` has another default.
    pub const LEAKY_SLOPE: f64 = 0.2;

    const ALL: [Self; 8] = [
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Gelu,
        Self::Silu,
        Self::Tanh,
        Self::Sigmoid,
        Self::Softmax,
    ];

    /// Keras' name of the activation, also used in files.
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

    /// The name on the page: "leaky ReLU".
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

    /// Whether the activation of 0 is 0.
    pub fn keeps_zero(self) -> bool {
        match self {
            Self::Relu | Self::LeakyRelu | Self::Elu | Self::Gelu | Self::Silu | Self::Tanh => true,
            Self::Sigmoid | Self::Softmax => false,
        }
    }

    /// Whether the activation's slope is nearly 0 for inputs far from 0, on both sides.
    pub fn saturates(self) -> bool {
        match self {
            Self::Tanh | Self::Sigmoid => true,
            Self::Relu | Self::LeakyRelu | Self::Elu | Self::Gelu | Self::Silu | Self::Softmax => {
                false
            }
        }
    }

    fn choices() -> Vec<Choice> {
        let choice =
            |activation: Self| Choice::new(activation.keras_name(), activation.name(), activation);
        Self::ALL.map(choice).into()
    }

    /// The activations that a layer can end with; none is one of them.
    fn choices_of_a_layer() -> Vec<Choice> {
        let none = Choice::new("none", "none", None::<Self>);
        std::iter::once(none).chain(Self::choices()).collect()
    }
}

impl Padding {
    fn choices() -> Vec<Choice> {
        vec![Choice::new("valid", "valid", Self::Valid), Choice::new("same", "same", Self::Same)]
    }
}

/// Layers with Keras' defaults, where Keras has them, and the article's sizes.
impl LayerConfig {
    /// A 3 x 3 convolution with stride 1 and `valid` padding, without an activation.
    pub const fn conv2d(filters: u32) -> Self {
        Self::Conv2d {
            filters,
            kernel: 3,
            strides: 1,
            padding: Padding::Valid,
            use_bias: true,
            activation: None,
            kernel_initializer: None,
        }
    }

    pub const fn locally_connected(filters: u32) -> Self {
        Self::LocallyConnected {
            filters,
            kernel: 3,
            use_bias: true,
            activation: None,
            kernel_initializer: None,
        }
    }

    /// A max-pool whose windows lie side by side.
    pub const fn max_pool(pool: u32) -> Self {
        Self::MaxPool { pool, strides: pool, padding: Padding::Valid }
    }

    pub const fn average_pool(pool: u32) -> Self {
        Self::AveragePool { pool, strides: pool, padding: Padding::Valid }
    }

    pub const fn dense(units: u32) -> Self {
        Self::Dense { units, use_bias: true, activation: None, kernel_initializer: None }
    }

    pub const fn batch_norm(momentum: f64) -> Self {
        Self::BatchNorm { momentum, epsilon: NORM_EPSILON }
    }

    /// Every kind of layer.
    pub(super) fn choices() -> Vec<Choice> {
        let choice = |id, name, layer: Self| Choice::new(id, name, layer);
        let activation = Activation::Relu;
        vec![
            choice("conv2d", "Convolution", Self::conv2d(32)),
            choice("locally_connected", "Locally connected", Self::locally_connected(8)),
            choice("max_pool", "Max pool", Self::max_pool(2)),
            choice("average_pool", "Average pool", Self::average_pool(2)),
            choice("global_max_pool", "Global max pool", Self::GlobalMaxPool {}),
            choice("global_average_pool", "Global average pool", Self::GlobalAveragePool {}),
            choice("flatten", "Flatten", Self::Flatten {}),
            choice("reshape", "Reshape", Self::Reshape {}),
            choice("dense", "Dense", Self::dense(64)),
            choice("batch_norm", "Batch normalisation", Self::batch_norm(0.99)),
            choice("layer_norm", "Layer normalisation", Self::LayerNorm { epsilon: NORM_EPSILON }),
            choice(
                "group_norm",
                "Group normalisation",
                Self::GroupNorm { groups: 4, epsilon: NORM_EPSILON },
            ),
            choice("dropout", "Dropout", Self::Dropout { rate: 0.5 }),
            choice("save", "Save for a residual connection", Self::Save {}),
            choice("add_saved", "Add the saved input", Self::AddSaved {}),
            choice("leaky_relu", "Leaky ReLU", Self::LeakyRelu { negative_slope: 0.3 }),
            choice("activation", "Activation", Self::Activation { activation }),
        ]
    }

    /// The same layer with an activation at its end, where its kind can have one.
    pub const fn with_activation(mut self, kind: Activation) -> Self {
        match &mut self {
            Self::Conv2d { activation, .. }
            | Self::LocallyConnected { activation, .. }
            | Self::Dense { activation, .. } => *activation = Some(kind),
            Self::Activation { activation } => *activation = kind,
            _ => {}
        }
        self
    }

    /// The same convolution or pool with `same` padding.
    pub const fn padded_same(mut self) -> Self {
        match &mut self {
            Self::Conv2d { padding, .. }
            | Self::MaxPool { padding, .. }
            | Self::AveragePool { padding, .. } => *padding = Padding::Same,
            _ => {}
        }
        self
    }
}

impl LayerConfig {
    /// The layer's name on the page: "Conv 32, 3 × 3, ReLU".
    pub fn name(&self) -> String {
        let ending = |activation: &Option<Activation>| {
            activation.map_or(String::new(), |activation| format!(", {}", activation.name()))
        };
        let window = |strides: u32, usual: u32, padding: Padding| {
            let strides =
                if strides == usual { String::new() } else { format!(", stride {strides}") };
            let same = if padding == Padding::Same { ", same" } else { "" };
            format!("{strides}{same}")
        };
        match self {
            Self::Conv2d { filters, kernel, strides, padding, activation, .. } => {
                let window = window(*strides, 1, *padding);
                format!("Conv {filters}, {kernel} × {kernel}{window}{}", ending(activation))
            }
            Self::LocallyConnected { filters, kernel, activation, .. } => {
                format!("Locally connected {filters}, {kernel} × {kernel}{}", ending(activation))
            }
            Self::MaxPool { pool, strides, padding } => {
                format!("Max pool {pool}{}", window(*strides, *pool, *padding))
            }
            Self::AveragePool { pool, strides, padding } => {
                format!("Average pool {pool}{}", window(*strides, *pool, *padding))
            }
            Self::GlobalMaxPool {} => "Global max pool".into(),
            Self::GlobalAveragePool {} => "Global average pool".into(),
            Self::Flatten {} => "Flatten".into(),
            Self::Reshape {} => "Reshape".into(),
            Self::Dense { units, activation, .. } => {
                format!("Dense {units}{}", ending(activation))
            }
            Self::BatchNorm { .. } => "Batch norm".into(),
            Self::LayerNorm { .. } => "Layer norm".into(),
            Self::GroupNorm { groups, .. } => format!("Group norm {groups}"),
            Self::Dropout { rate } => format!("Dropout {rate}"),
            Self::Save {} => "Save".into(),
            Self::AddSaved {} => "Add saved".into(),
            Self::LeakyRelu { negative_slope } => format!("Leaky ReLU {negative_slope}"),
            Self::Activation { activation } => {
                let name = activation.name();
                let first = name[..1].to_uppercase();
                format!("{first}{}", &name[1..])
            }
        }
    }

    /// The layer's shapes for this input, or an error where the layer does not fit it. `path` is the layer's path. Expects every
    /// number in its range.
    pub(super) fn shape(&self, input: Shape, path: &str) -> Result<LayerShape, InvalidField> {
        let place = Place { input, path };
        // In 64 bits, also where a usize has 32.
        let bias = |use_bias: bool, count: usize| if use_bias { count as u64 } else { 0 };
        let count = |sizes: &[usize]| sizes.iter().map(|&size| size as u64).product::<u64>();
        let (output, parameters) = match *self {
            Self::Conv2d { filters, kernel, strides, padding, use_bias, .. } => {
                let channels = place.channels("a convolution")?;
                if strides > MOST_CONV_STRIDES {
                    return Err(InvalidField::new(
                        format!("{path}.strides"),
                        "Strides",
                        strides.to_string(),
                        format!("a whole number from 1 to {MOST_CONV_STRIDES} in a convolution"),
                    ));
                }
                let window = Window { size: kernel, strides, padding };
                let [height, width] = place.windows(window, "kernel")?;
                let (size, filters) = (kernel as usize, filters as usize);
                let weights = count(&[size, size, channels, filters]);
                (Shape::Image([height, width, filters]), weights + bias(use_bias, filters))
            }
            Self::LocallyConnected { filters, kernel, use_bias, .. } => {
                let channels = place.channels("a locally connected layer")?;
                let window = Window { size: kernel, strides: 1, padding: Padding::Valid };
                let [height, width] = place.windows(window, "kernel")?;
                let (size, filters) = (kernel as usize, filters as usize);
                let weights = count(&[size, size, channels, filters]) + bias(use_bias, filters);
                (Shape::Image([height, width, filters]), count(&[height, width]) * weights)
            }
            Self::MaxPool { pool, strides, padding }
            | Self::AveragePool { pool, strides, padding } => {
                let channels = place.channels("a pool")?;
                let [height, width] =
                    place.windows(Window { size: pool, strides, padding }, "pool")?;
                (Shape::Image([height, width, channels]), 0)
            }
            Self::GlobalMaxPool {} | Self::GlobalAveragePool {} => {
                (Shape::Flat(place.channels("a global pool")?), 0)
            }
            Self::Flatten {} => (Shape::Flat(input.size()), 0),
            Self::Dense { units, use_bias, .. } => {
                let Shape::Flat(inputs) = input else {
                    return Err(InvalidField::with_message(
                        path,
                        "dense on an image",
                        "after a flatten layer or a global pool",
                        format!(
                            "Layer {}: dense on an image ({input}) is not possible; it must be after a flatten layer or a global pool.",
                            place.number()
                        ),
                    ));
                };
                let units = units as usize;
                (Shape::Flat(units), count(&[inputs, units]) + bias(use_bias, units))
            }
            Self::BatchNorm { .. } | Self::LayerNorm { .. } => (input, 2 * input.units() as u64),
            Self::GroupNorm { groups, .. } => {
                place.groups(groups)?;
                (input, 2 * input.units() as u64)
            }
            Self::Dropout { .. }
            | Self::Reshape {}
            | Self::Save {}
            | Self::AddSaved {}
            | Self::LeakyRelu { .. }
            | Self::Activation { .. } => (input, 0),
        };
        Ok(LayerShape { input, output, parameters })
    }

    /// Plain facts about the layer.
    fn facts(&self) -> Facts {
        let plain = Facts { weights: Weights::None, activation: None, keeps_zero: true };
        let norm = |norm| Facts { weights: Weights::Norm(norm), keeps_zero: false, ..plain };
        match *self {
            Self::Conv2d { use_bias, activation, kernel_initializer, .. }
            | Self::LocallyConnected { use_bias, activation, kernel_initializer, .. }
            | Self::Dense { use_bias, activation, kernel_initializer, .. } => Facts {
                weights: Weights::Kernel { use_bias, kernel_initializer },
                activation,
                keeps_zero: !use_bias,
            },
            Self::BatchNorm { .. } => norm(Norm::OfTheBatch),
            Self::LayerNorm { .. } | Self::GroupNorm { .. } => norm(Norm::OfTheImage),
            Self::Activation { activation } => Facts { activation: Some(activation), ..plain },
            // The saved input is added, and it need not be 0.
            Self::AddSaved {} => Facts { keeps_zero: false, ..plain },
            Self::MaxPool { .. }
            | Self::AveragePool { .. }
            | Self::GlobalMaxPool {}
            | Self::GlobalAveragePool {}
            | Self::Flatten {}
            | Self::Reshape {}
            | Self::Dropout { .. }
            | Self::Save {}
            | Self::LeakyRelu { .. } => plain,
        }
    }

    /// Whether the layer has trained weights.
    pub fn has_weights(&self) -> bool {
        !matches!(self.facts().weights, Weights::None)
    }

    /// Whether the layer sums its input with trained weights.
    pub fn has_kernel(&self) -> bool {
        matches!(self.facts().weights, Weights::Kernel { .. })
    }

    /// The layer's normalisation; `None` where it does not normalise. Every normalisation has a trained scale and shift.
    pub fn norm(&self) -> Option<Norm> {
        match self.facts().weights {
            Weights::Norm(norm) => Some(norm),
            Weights::None | Weights::Kernel { .. } => None,
        }
    }

    /// The activation that the layer ends with, if any.
    pub fn activation(&self) -> Option<Activation> {
        self.facts().activation
    }

    /// Whether the layer has a bias; `None` where its kind cannot have one.
    pub fn use_bias(&self) -> Option<bool> {
        match self.facts().weights {
            Weights::Kernel { use_bias, .. } => Some(use_bias),
            Weights::None | Weights::Norm(_) => None,
        }
    }

    /// The layer's `use_bias`, to be changed.
    pub(super) fn use_bias_mut(&mut self) -> Option<&mut bool> {
        match self {
            Self::Conv2d { use_bias, .. }
            | Self::LocallyConnected { use_bias, .. }
            | Self::Dense { use_bias, .. } => Some(use_bias),
            _ => None,
        }
    }

    /// The layer's own initializer; `None` where the network's applies.
    pub fn kernel_initializer(&self) -> Option<KernelInitializer> {
        match self.facts().weights {
            Weights::Kernel { kernel_initializer, .. } => kernel_initializer,
            Weights::None | Weights::Norm(_) => None,
        }
    }

    /// The fans of the layer's kernel for this input; `None` where the layer has no kernel.
    pub fn fans(&self, input: Shape) -> Option<Fans> {
        match *self {
            Self::Conv2d { filters, kernel, .. }
            | Self::LocallyConnected { filters, kernel, .. } => {
                let size = kernel as usize;
                Some(Fans::of(&[size, size, input.units(), filters as usize]))
            }
            Self::Dense { units, .. } => Some(Fans::of(&[input.size(), units as usize])),
            _ => None,
        }
    }

    /// Whether an input of zeros gives an output of zeros for any weights. A bias need not keep zeros, nor the shift of a
    /// normalisation, nor a residual connection.
    pub fn keeps_zero(&self) -> bool {
        let facts = self.facts();
        facts.keeps_zero && facts.activation.is_none_or(Activation::keeps_zero)
    }

    /// The same for the input of the layer's activation, which in the last layer is the logits.
    pub fn keeps_zero_before_activation(&self) -> bool {
        self.facts().keeps_zero
    }

    /// Whether the layer computes something else in training than in inference.
    pub fn differs_by_mode(&self) -> bool {
        match *self {
            Self::Dropout { rate } => rate > 0.0,
            _ => self.norm() == Some(Norm::OfTheBatch),
        }
    }

    /// Whether the layers around this one are no chain of linear layers, which one linear layer could replace: it ends with an
    /// activation, is one, or adds a saved input.
    pub fn breaks_linear_chain(&self) -> bool {
        self.activation().is_some() || matches!(self, Self::LeakyRelu { .. } | Self::AddSaved {})
    }

    /// The bytes that training needs for one number of the layer's output, backward pass included: mainly the number itself and its
    /// gradient. `follows` are the layers after this one.
    pub(super) fn bytes_of_output(&self, follows: &[Self]) -> u64 {
        // The kernels compute a ReLU together with the layer; any other activation has a result of its own, with its gradient.
        let of_activation = match self.activation() {
            None | Some(Activation::Relu) => 0,
            Some(Activation::Softmax) => 5 * 4,
            Some(_) => 2 * 4,
        };
        match self {
            // The output is pooled while it is computed and never written.
            Self::Conv2d { .. } if of_activation == 0 && pool_is_joined(follows) => 0,
            // The number, its gradient, the place of the pool's winner, and the gradient before the ReLU.
            Self::Conv2d { .. } => 4 + 4 + 1 + 4 + of_activation,
            Self::MaxPool { .. } => 4 + 4 + 1,
            Self::Flatten {} | Self::Reshape {} | Self::Save {} => 0,
            Self::Dense { .. } | Self::Activation { .. } => 4 + 4,
            // The windows of the input and their gradients are written out.
            Self::LocallyConnected { kernel, .. } => 8 + 8 * u64::from(*kernel).pow(2),
            // Several operations, each with its result and a gradient.
            Self::AveragePool { .. }
            | Self::GlobalMaxPool {}
            | Self::GlobalAveragePool {}
            | Self::BatchNorm { .. }
            | Self::LayerNorm { .. }
            | Self::GroupNorm { .. }
            | Self::Dropout { .. }
            | Self::AddSaved {}
            | Self::LeakyRelu { .. } => 4 * 8,
        }
    }
}

/// Whether a max-pool among the layers after a convolution is computed together with the convolution; ReLUs may come between.
fn pool_is_joined(follows: &[LayerConfig]) -> bool {
    let is_relu = |layer: &&LayerConfig| {
        matches!(layer, LayerConfig::Activation { activation: Activation::Relu })
    };
    match follows.iter().find(|layer| !is_relu(layer)) {
        Some(&LayerConfig::MaxPool { pool, strides, padding }) => {
            Fusible::Convolution.takes_pool(Window { size: pool, strides, padding })
        }
        _ => false,
    }
}

/// Facts about a layer that follow from its configuration alone.
#[derive(Clone, Copy)]
struct Facts {
    weights: Weights,
    activation: Option<Activation>,
    /// Whether zeros stay zeros up to the activation.
    keeps_zero: bool,
}

/// The trained weights of a layer.
#[derive(Clone, Copy)]
enum Weights {
    None,
    Kernel {
        use_bias: bool,
        kernel_initializer: Option<KernelInitializer>,
    },
    /// A scale and a shift.
    Norm(Norm),
}

/// A layer's input and path, for errors about the two together.
struct Place<'a> {
    input: Shape,
    path: &'a str,
}

impl Place<'_> {
    /// The layer's number, counted from 1.
    fn number(&self) -> usize {
        layer_of(self.path).map_or(1, |layer| layer + 1)
    }

    /// The height, width and channels of the input, which has to be an image.
    fn image(&self, layer: &str) -> Result<[usize; 3], InvalidField> {
        match self.input {
            Shape::Image(shape) => Ok(shape),
            Shape::Flat(units) => Err(InvalidField::with_message(
                self.path,
                format!("{layer} on a flat row"),
                "before the flatten layer",
                format!(
                    "Layer {}: {layer} on a flat row ({units} numbers) is not possible; it must be before the flatten layer.",
                    self.number()
                ),
            )),
        }
    }

    fn channels(&self, layer: &str) -> Result<usize, InvalidField> {
        self.image(layer).map(|[_, _, channels]| channels)
    }

    /// Checks that the channels or units divide into groups of one size.
    fn groups(&self, groups: u32) -> Result<(), InvalidField> {
        let units = self.input.units();
        if units.is_multiple_of(groups as usize) {
            return Ok(());
        }
        let path = format!("{}.groups", self.path);
        let allowed = format!("a divisor of {units}, the channels or units of the layer's input");
        Err(InvalidField::new(path, "Groups", groups.to_string(), allowed))
    }

    /// The number of windows down and across. `field` is the name of the window's size, which has to fit into the input.
    fn windows(&self, window: Window, field: &str) -> Result<[usize; 2], InvalidField> {
        let [height, width, _] = self.image("a window")?;
        let room = height.min(width);
        if window.padding == Padding::Valid && window.size as usize > room {
            let path = format!("{}.{field}", self.path);
            let label = Field::of(&path).expect("a field of a layer").label;
            let allowed =
                format!("a whole number from 1 to {room}, because its input is {}", self.input);
            return Err(InvalidField::new(path, label, window.size.to_string(), allowed));
        }
        Ok([window.count(height), window.count(width)])
    }
}

const GROUP: FieldGroup = FieldGroup::Network;

pub(super) const FIELDS: &[Field] = &[
    Field::layers(GROUP, "network.layers", "Layers"),
    Field::choice(GROUP, "network.layers[]", "Layer", LayerConfig::choices),
    Field::whole(GROUP, "network.layers[].filters", "Filters", 1.0, 1024.0),
    Field::whole(GROUP, "network.layers[].kernel", "Kernel", 1.0, 11.0).in_keras("kernel_size"),
    Field::whole(GROUP, "network.layers[].strides", "Strides", 1.0, 16.0),
    Field::choice(GROUP, "network.layers[].padding", "Padding", Padding::choices),
    Field::whole(GROUP, "network.layers[].pool", "Pool", 1.0, 16.0).in_keras("pool_size"),
    Field::whole(GROUP, "network.layers[].units", "Units", 1.0, 4096.0),
    Field::flag(GROUP, "network.layers[].use_bias", "Bias").in_keras("use_bias"),
    Field::choice(
        GROUP,
        "network.layers[].activation",
        "Activation",
        Activation::choices_of_a_layer,
    ),
    Field::choice(
        GROUP,
        "network.layers[].kernel_initializer",
        "Initial kernel",
        KernelInitializer::choices_of_a_layer,
    ),
    Field::real(GROUP, "network.layers[].kernel_initializer.value", "Constant", -1e3, 1e3),
    Field::real(GROUP, "network.layers[].kernel_initializer.limit", "Limit", 0.0, 1e3),
    Field::real(
        GROUP,
        "network.layers[].kernel_initializer.stddev",
        "Standard deviation",
        0.0,
        1e3,
    ),
    Field::share(GROUP, "network.layers[].momentum", "Momentum of the moving averages"),
    Field::real(GROUP, "network.layers[].epsilon", "Epsilon of the normalisation", 1e-12, 1.0),
    Field::whole(GROUP, "network.layers[].groups", "Groups", 1.0, 1024.0),
    Field::share(GROUP, "network.layers[].rate", "Dropout rate"),
    Field::real(GROUP, "network.layers[].negative_slope", "Negative slope", 0.0, 1.0),
];
