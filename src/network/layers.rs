//! The variables of every layer, and the forward pass of the layers without a kernel. `fast` computes the layers with a kernel, and
//! `plain` computes those by Burn's operations.

use burn::tensor::Tensor;
use burn::tensor::activation::{elu, gelu, leaky_relu, sigmoid, silu, tanh};
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use super::build::{Builder, Wanted, Weights};
use super::{Features, Network, Role, softmax};
use crate::experiment::{Activation, Border, LayerConfig, LayerShape, Shape, Window};

/// A layer with the indices of its variables.
#[derive(Clone, Debug)]
#[allow(clippy::enum_variant_names, reason = "LayerNorm is the layer's name")]
pub(super) enum Layer {
    Conv2d {
        kernel: usize,
        bias: Option<usize>,
        strides: usize,
        /// Zeros around the input.
        padding: Border,
        /// Whether a ReLU is joined with the convolution, and the size of the joined max-pool, 1 for none.
        relu: bool,
        pool: usize,
    },
    LocallyConnected {
        kernel: usize,
        bias: Option<usize>,
        relu: bool,
    },
    MaxPool(Window),
    AveragePool(Window),
    GlobalMaxPool,
    GlobalAveragePool,
    Flatten,
    Dense {
        kernel: usize,
        bias: Option<usize>,
        relu: bool,
    },
    BatchNorm {
        /// The index of gamma; beta, moving mean and moving variance follow.
        first: usize,
        /// As in Keras, a layer with `trainable=False` is also in inference mode.
        frozen: bool,
        momentum: f64,
        epsilon: f64,
        relu: bool,
    },
    GroupNorm {
        /// The index of gamma; beta follows.
        first: usize,
        groups: usize,
        epsilon: f64,
    },
    LayerNorm {
        /// The index of gamma; beta follows.
        first: usize,
        epsilon: f64,
    },
    Dropout {
        rate: f64,
    },
    Save,
    AddSaved,
    Relu,
    LeakyRelu {
        negative_slope: f64,
    },
    Elu,
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    Softmax,
    Reshape,
}

impl Layer {
    /// Whether the crate has a kernel for the layer. `plain` computes the same layers by Burn's operations.
    pub(super) fn has_kernel(&self) -> bool {
        match self {
            Self::Conv2d { .. }
            | Self::LocallyConnected { .. }
            | Self::Dense { .. }
            | Self::MaxPool(_)
            | Self::GlobalMaxPool
            | Self::BatchNorm { .. }
            | Self::Dropout { .. } => true,
            Self::AveragePool(_)
            | Self::GlobalAveragePool
            | Self::Flatten
            | Self::LayerNorm { .. }
            | Self::GroupNorm { .. }
            | Self::Save
            | Self::AddSaved
            | Self::Relu
            | Self::LeakyRelu { .. }
            | Self::Elu
            | Self::Gelu
            | Self::Silu
            | Self::Tanh
            | Self::Sigmoid
            | Self::Softmax
            | Self::Reshape => false,
        }
    }
}

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu => Self::LeakyRelu { negative_slope: Activation::LEAKY_SLOPE },
            Activation::Elu => Self::Elu,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Softmax => Self::Softmax,
        }
    }
}

impl<F: FnMut(Wanted) -> Vec<f32>> Builder<'_, F> {
    /// A layer without its activation; `None` for a layer that is only an activation.
    pub(super) fn layer(
        &mut self,
        index: usize,
        config: &LayerConfig,
        shape: LayerShape,
    ) -> Option<Layer> {
        let channels = shape.input.units();
        Some(match *config {
            LayerConfig::Conv2d { filters, kernel: size, strides, padding, use_bias, .. } => {
                let filters = filters as usize;
                let name = self.name("conv2d");
                let kernel_shape = [size as usize, size as usize, channels, filters];
                let weights = Weights { index, config, name: &name, window: &kernel_shape };
                let kernel = self.kernel(&weights, &kernel_shape);
                let bias = self.bias(&weights, &[filters], use_bias);
                let Shape::Image([height, width, _]) = shape.input else {
                    unreachable!("layer_shapes refuses a convolution on rows")
                };
                let padding = Window { size, strides, padding }.border(height, width);
                let strides = strides as usize;
                Layer::Conv2d { kernel, bias, strides, padding, relu: false, pool: 1 }
            }
            LayerConfig::LocallyConnected { filters, kernel: size, use_bias, .. } => {
                let (size, filters) = (size as usize, filters as usize);
                let name = self.name("locally_connected");
                let Shape::Image([height, width, _]) = shape.output else {
                    unreachable!("layer_shapes gives it an image")
                };
                let place = [size, size, channels, filters];
                let all = [height, width, size * size * channels, filters];
                let weights = Weights { index, config, name: &name, window: &place };
                let kernel = self.kernel(&weights, &all);
                let bias = self.bias(&weights, &[height, width, filters], use_bias);
                Layer::LocallyConnected { kernel, bias, relu: false }
            }
            LayerConfig::MaxPool { pool, strides, padding } => {
                Layer::MaxPool(Window { size: pool, strides, padding })
            }
            LayerConfig::AveragePool { pool, strides, padding } => {
                Layer::AveragePool(Window { size: pool, strides, padding })
            }
            LayerConfig::GlobalMaxPool {} => Layer::GlobalMaxPool,
            LayerConfig::GlobalAveragePool {} => Layer::GlobalAveragePool,
            LayerConfig::Flatten {} => Layer::Flatten,
            LayerConfig::Reshape {} => Layer::Reshape,
            LayerConfig::Dense { units, use_bias, .. } => {
                let units = units as usize;
                let name = self.name("dense");
                let kernel_shape = [shape.input.size(), units];
                let weights = Weights { index, config, name: &name, window: &kernel_shape };
                let kernel = self.kernel(&weights, &kernel_shape);
                let bias = self.bias(&weights, &[units], use_bias);
                Layer::Dense { kernel, bias, relu: false }
            }
            LayerConfig::BatchNorm { momentum, epsilon } => {
                let name = self.name("batch_norm");
                let first = self.scale_and_shift(&name, channels);
                self.variable(&name, Role::MovingMean, &[channels], vec![0.0; channels]);
                self.variable(&name, Role::MovingVariance, &[channels], vec![1.0; channels]);
                let frozen = self.frozen;
                Layer::BatchNorm { first, momentum, epsilon, frozen, relu: false }
            }
            LayerConfig::GroupNorm { groups, epsilon } => {
                let name = self.name("group_norm");
                let first = self.scale_and_shift(&name, channels);
                Layer::GroupNorm { first, groups: groups as usize, epsilon }
            }
            LayerConfig::LayerNorm { epsilon } => {
                let name = self.name("layer_norm");
                Layer::LayerNorm { first: self.scale_and_shift(&name, channels), epsilon }
            }
            LayerConfig::Dropout { rate } => Layer::Dropout { rate },
            LayerConfig::Save {} => Layer::Save,
            LayerConfig::AddSaved {} => Layer::AddSaved,
            LayerConfig::LeakyRelu { negative_slope } => Layer::LeakyRelu { negative_slope },
            LayerConfig::Activation { .. } => return None,
        })
    }
}

impl Network {
    /// The output of a layer without a kernel. `saved` is the input of the last `save`.
    pub(super) fn apply_common(
        &self,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
        saved: &mut Option<Features>,
    ) -> Features {
        match *layer {
            Layer::Conv2d { .. }
            | Layer::LocallyConnected { .. }
            | Layer::Dense { .. }
            | Layer::MaxPool(_)
            | Layer::GlobalMaxPool
            | Layer::BatchNorm { .. }
            | Layer::Dropout { .. } => {
                unreachable!("`fast` and `plain` compute the layers that have kernels")
            }
            Layer::AveragePool(window) => input.map_planes(|planes| average_pool(planes, window)),
            Layer::GlobalAveragePool => Features::Rows(input.places().mean_dim(1).squeeze_dim(1)),
            Layer::Flatten => input.flatten(),
            Layer::GroupNorm { first, groups, epsilon } => {
                let pixels = input.clone().into_images();
                let shape = pixels.dims();
                let [images, height, width, channels] = shape;
                let places = height * width;
                let grouped = pixels.reshape([images, places, groups, channels / groups]);
                let (mean, variance) = moments(grouped.clone(), &[3, 1]);
                let normal = ((grouped - mean) / (variance + epsilon).sqrt()).reshape(shape);
                let (gamma, beta) = (value(first).unsqueeze(), value(first + 1).unsqueeze());
                input.with_units(normal * gamma + beta)
            }
            Layer::LayerNorm { first, epsilon } => {
                let pixels = input.clone().into_images();
                let (mean, variance) = moments(pixels.clone(), &[3]);
                let normal = (pixels - mean) / (variance + epsilon).sqrt();
                let (gamma, beta) = (value(first).unsqueeze(), value(first + 1).unsqueeze());
                input.with_units(normal * gamma + beta)
            }
            Layer::Save => {
                *saved = Some(input.clone());
                input
            }
            Layer::AddSaved => {
                let saved = saved.clone().expect("layer_shapes requires a save layer before");
                input.plus(saved)
            }
            Layer::Relu => input.map(relu_of, relu_of),
            Layer::LeakyRelu { negative_slope: slope } => {
                input.map(|rows| leaky_relu(rows, slope), |maps| leaky_relu(maps, slope))
            }
            Layer::Elu => input.map(|rows| elu(rows, 1.0), |maps| elu(maps, 1.0)),
            Layer::Gelu => input.map(gelu, gelu),
            Layer::Silu => input.map(silu, silu),
            Layer::Tanh => input.map(tanh, tanh),
            Layer::Sigmoid => input.map(sigmoid, sigmoid),
            Layer::Softmax => match input {
                Features::Rows(rows) => Features::Rows(softmax(rows)),
                maps => {
                    let pixels = maps.clone().pixels();
                    let shape = pixels.dims();
                    let rows = pixels.reshape([shape[0] * shape[1] * shape[2], shape[3]]);
                    maps.with_pixels(softmax(rows).reshape(shape))
                }
            },
            Layer::Reshape => input,
        }
    }
}

/// A ReLU as a product with 0 or 1, as in TensorFlow, so that NaN passes through it forward and backward.
fn relu_of<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let active = input.clone().detach().greater_elem(0.0).float();
    input * active
}

/// The mean and biased variance along some axes, which keep a length of 1. Averaging one axis after the other rounds less than one
/// sum over all pixels.
pub(super) fn moments(pixels: Tensor<4>, axes: &[usize]) -> (Tensor<4>, Tensor<4>) {
    let mean_of = |values: Tensor<4>| axes.iter().fold(values, |sums, &axis| sums.mean_dim(axis));
    let mean = mean_of(pixels.clone());
    let variance = mean_of((pixels - mean.clone()).square());
    (mean, variance)
}

/// The mean of each window's pixels, without padding.
fn average_pool(planes: Tensor<4>, window: Window) -> Tensor<4> {
    let (size, strides) = (window.size as usize, window.strides as usize);
    let [_, _, height, width] = planes.dims();
    let device = planes.device();
    let options = || AvgPoolOptions::new([size, size]).with_stride([strides, strides]);
    let means = avg_pool2d(padded(planes, window, 0.0), options());
    if window.border(height, width) == Border::NONE {
        return means;
    }
    let real = Tensor::ones([1, 1, height, width], &device);
    means / avg_pool2d(padded(real, window, 0.0), options())
}

pub(super) fn padded(planes: Tensor<4>, window: Window, value: f32) -> Tensor<4> {
    let [images, channels, height, width] = planes.dims();
    let border = window.border(height, width);
    if border == Border::NONE {
        return planes;
    }
    let Border { top, bottom, left, right } = border;
    let size = [images, channels, top + height + bottom, left + width + right];
    // Burn's own `pad` would bring the code of other kinds of padding into the wasm.
    let around = Tensor::full(size, value, &planes.device());
    let place = [0..images, 0..channels, top..top + height, left..left + width];
    around.slice_assign(place, planes)
}
