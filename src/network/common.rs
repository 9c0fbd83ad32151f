//! Layers that Burn's own operations compute, whoever computes convolutions: pools that no convolution takes in, normalisations,
//! dropout, residual connections, activations.

use burn::tensor::activation::{elu, gelu, leaky_relu, sigmoid, silu, tanh};
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData};

use super::{Features, Layer, Mode, Network, softmax};
use crate::backend::without_kernels;
use crate::experiment::Window;

impl Network {
    /// `index` is the layer's place in the configuration's list, `saved` what the last `save` kept.
    pub(super) fn apply_common(
        &self,
        (index, layer): (usize, &Layer),
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
        saved: &mut Option<Features>,
        mode: &mut Mode,
    ) -> Features {
        match *layer {
            Layer::Conv2d { .. } | Layer::Dense { .. } => {
                unreachable!("convolutions and dense layers have files of their own")
            }
            Layer::LocallyConnected { kernel, bias, .. } => {
                without_kernels();
                let pixels = input.clone().pixels();
                let weights = value(kernel).reshape(self.shape::<4>(kernel));
                let output = locally_connected(pixels, weights);
                let output = match bias {
                    Some(bias) => output + value(bias).reshape(self.shape::<3>(bias)).unsqueeze(),
                    None => output,
                };
                input.with_pixels(output)
            }
            Layer::MaxPool(window) => {
                without_kernels();
                input.map_planes(|planes| max_pool(planes, window))
            }
            Layer::AveragePool(window) => input.map_planes(|planes| average_pool(planes, window)),
            Layer::GlobalMaxPool => {
                without_kernels();
                let planes = input.planes();
                let [images, channels, height, width] = planes.dims();
                let pooled = max_pool2d(planes, MaxPoolOptions::new([height, width]));
                Features::Rows(pooled.reshape([images, channels]))
            }
            Layer::GlobalAveragePool => Features::Rows(input.places().mean_dim(1).squeeze_dim(1)),
            Layer::Flatten => input.flatten(),
            Layer::BatchNorm { first, momentum, epsilon, frozen, .. } => {
                without_kernels();
                let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|n| first + n);
                let pixels = input.clone().into_images();
                let (mean, variance) = match mode {
                    Mode::Training { moved, .. } if !frozen => {
                        let (batch_mean, batch_variance) = moments(pixels.clone(), &[2, 1, 0]);
                        for (index, batch) in [(mean, &batch_mean), (variance, &batch_variance)] {
                            let before = self.variables[index].value.clone().inner();
                            let batch = batch.clone().inner().reshape(before.dims());
                            moved.push((index, before * momentum + batch * (1.0 - momentum)));
                        }
                        (batch_mean, batch_variance)
                    }
                    _ => (value(mean).unsqueeze(), value(variance).unsqueeze()),
                };
                let normal = (pixels - mean) / (variance + epsilon).sqrt();
                input.with_units(normal * value(gamma).unsqueeze() + value(beta).unsqueeze())
            }
            Layer::NormOfUnits { first, epsilon } => {
                let pixels = input.clone().into_images();
                let (mean, variance) = moments(pixels.clone(), &[3]);
                let normal = (pixels - mean) / (variance + epsilon).sqrt();
                let (gamma, beta) = (value(first).unsqueeze(), value(first + 1).unsqueeze());
                input.with_units(normal * gamma + beta)
            }
            Layer::Dropout { rate } => match mode {
                Mode::Inference => input,
                Mode::Training { noise, .. } => {
                    without_kernels();
                    let scale = 1.0 / (1.0 - rate as f32);
                    let kept = |number: f32| if number >= rate as f32 { scale } else { 0.0 };
                    let mut numbers = vec![0.0; input.count()];
                    noise(index, &mut numbers);
                    input.times(numbers.into_iter().map(kept).collect())
                }
            },
            Layer::Save => {
                *saved = Some(input.clone());
                input
            }
            Layer::AddSaved => {
                let saved = saved.clone().expect("layer_shapes wants a save layer before");
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

/// A product and no choice, forward and backward, as in TensorFlow: what is not a number goes through it both ways.
fn relu_of<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let active = input.clone().detach().greater_elem(0.0).float();
    input * active
}

/// Mean and biased variance along some axes, which keep a length of 1. One axis after the other: sums of few terms each round
/// less than one of all pixels.
fn moments(pixels: Tensor<4>, axes: &[usize]) -> (Tensor<4>, Tensor<4>) {
    let mean_of = |values: Tensor<4>| axes.iter().fold(values, |sums, &axis| sums.mean_dim(axis));
    let mean = mean_of(pixels.clone());
    let variance = mean_of((pixels - mean.clone()).square());
    (mean, variance)
}

/// # Shapes
/// - planes: `[images, channels, height, width]`
fn max_pool(planes: Tensor<4>, window: Window) -> Tensor<4> {
    let (size, strides) = (window.size as usize, window.strides as usize);
    let planes = padded(planes, window, f32::NEG_INFINITY);
    max_pool2d(planes, MaxPoolOptions::new([size, size]).with_stride([strides, strides]))
}

/// The mean of the real pixels: padding counts for nothing.
fn average_pool(planes: Tensor<4>, window: Window) -> Tensor<4> {
    let (size, strides) = (window.size as usize, window.strides as usize);
    let [_, _, height, width] = planes.dims();
    let device = planes.device();
    let options = || AvgPoolOptions::new([size, size]).with_stride([strides, strides]);
    let means = avg_pool2d(padded(planes, window, 0.0), options());
    if window.padded(height) == [0, 0] && window.padded(width) == [0, 0] {
        return means;
    }
    let real = Tensor::ones([1, 1, height, width], &device);
    means / avg_pool2d(padded(real, window, 0.0), options())
}

fn padded(planes: Tensor<4>, window: Window, value: f32) -> Tensor<4> {
    let [_, _, height, width] = planes.dims();
    let ([top, bottom], [left, right]) = (window.padded(height), window.padded(width));
    if [top, bottom, left, right] == [0; 4] {
        return planes;
    }
    let [images, channels, height, width] = planes.dims();
    let size = [images, channels, top + height + bottom, left + width + right];
    // Not Burn's own `pad`, which brings the code of other kinds of padding.
    let around = Tensor::full(size, value, &planes.device());
    let place = [0..images, 0..channels, top..top + height, left..left + width];
    around.slice_assign(place, planes)
}

/// A convolution with a kernel of its own at each place.
///
/// # Shapes
/// - pixels: `[images, height, width, channels]`
/// - weights: `[output height, output width, kernel * kernel * channels, filters]`
/// - returns `[images, output height, output width, filters]`
fn locally_connected(pixels: Tensor<4>, weights: Tensor<4>) -> Tensor<4> {
    let [images, height, width, channels] = pixels.dims();
    let [rows, columns, _, filters] = weights.dims();
    let (down, across) = (height - rows + 1, width - columns + 1);
    let mut output = None;
    for place in 0..down * across {
        let (y, x) = (place / across, place % across);
        let shifted = pixels.clone().slice([0..images, y..y + rows, x..x + columns]);
        for channel in 0..channels {
            // One weight of each filter at each place. Not a matrix product, which would bring much code for a rare layer.
            let input = shifted.clone().narrow(3, channel, 1);
            let weight = weights.clone().narrow(2, place * channels + channel, 1);
            let product = input * weight.reshape([1, rows, columns, filters]);
            output = Some(match output {
                Some(sum) => sum + product,
                None => product,
            });
        }
    }
    output.expect("a window has at least one pixel")
}

impl Features {
    pub(super) fn rows(self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows,
            _ => unreachable!("layer_shapes refuses this layer on images"),
        }
    }

    pub(super) fn planes(self) -> Tensor<4> {
        match self {
            Self::Planes(planes) => planes,
            Self::Pixels(pixels) => pixels.permute([0, 3, 1, 2]),
            Self::Rows(_) => unreachable!("layer_shapes refuses this layer on rows"),
        }
    }

    pub(super) fn pixels(self) -> Tensor<4> {
        match self {
            Self::Planes(planes) => planes.permute([0, 2, 3, 1]),
            Self::Pixels(pixels) => pixels,
            Self::Rows(_) => unreachable!("layer_shapes refuses this layer on rows"),
        }
    }

    /// `[images, height * width, channels]`
    fn places(self) -> Tensor<3> {
        let pixels = self.pixels();
        let [images, height, width, channels] = pixels.dims();
        pixels.reshape([images, height * width, channels])
    }

    /// One row an image, channels fastest: Keras' order, in which the dense kernel's rows lie.
    fn flatten(self) -> Self {
        if let Self::Rows(rows) = self {
            return Self::Rows(rows);
        }
        let pixels = self.pixels();
        let [images, height, width, channels] = pixels.dims();
        Self::Rows(pixels.reshape([images, height * width * channels]))
    }

    /// The same order of axes with other pixels.
    fn with_pixels(self, pixels: Tensor<4>) -> Self {
        match self {
            Self::Planes(_) => Self::Planes(pixels.permute([0, 3, 1, 2])),
            _ => Self::Pixels(pixels),
        }
    }

    /// Rows as images of one pixel: `[images, height, width, channels or units]`.
    pub(super) fn into_images(self) -> Tensor<4> {
        match self {
            Self::Rows(rows) => {
                let [images, units] = rows.dims();
                rows.reshape([images, 1, 1, units])
            }
            maps => maps.pixels(),
        }
    }

    /// The way back from [`Features::into_images`].
    pub(super) fn with_units(self, pixels: Tensor<4>) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(pixels.reshape(rows.dims())),
            maps => maps.with_pixels(pixels),
        }
    }

    pub(super) fn map(
        self,
        of_rows: impl FnOnce(Tensor<2>) -> Tensor<2>,
        of_maps: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Self {
        match self {
            Self::Planes(planes) => Self::Planes(of_maps(planes)),
            Self::Pixels(pixels) => Self::Pixels(of_maps(pixels)),
            Self::Rows(rows) => Self::Rows(of_rows(rows)),
        }
    }

    fn map_planes(self, of_planes: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        match self {
            Self::Pixels(pixels) => {
                let planes = of_planes(pixels.permute([0, 3, 1, 2]));
                Self::Pixels(planes.permute([0, 2, 3, 1]))
            }
            features => Self::Planes(of_planes(features.planes())),
        }
    }

    /// Times constants, given in NHWC order.
    fn times(self, factors: Vec<f32>) -> Self {
        match self {
            Self::Rows(rows) => {
                let factors = TensorData::new(factors, rows.dims());
                Self::Rows(rows.clone() * Tensor::from_data(factors, &rows.device()))
            }
            maps => {
                let pixels = maps.clone().pixels();
                let factors = TensorData::new(factors, pixels.dims());
                let factors = Tensor::from_data(factors, &pixels.device());
                maps.with_pixels(pixels * factors)
            }
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Rows(rows), other) => Self::Rows(rows + other.rows()),
            (Self::Planes(planes), other) => Self::Planes(planes + other.planes()),
            (Self::Pixels(pixels), other) => Self::Pixels(pixels + other.pixels()),
        }
    }

    /// Numbers in all.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Planes(maps) | Self::Pixels(maps) => maps.dims().iter().product(),
            Self::Rows(rows) => rows.dims().iter().product(),
        }
    }
}
