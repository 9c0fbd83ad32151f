//! The layers that have kernels, computed by Burn's own operations: the reference that the kernels are tested against. Burn's
//! convolution takes channels first, and so activations lie between the first layer and `flatten`.

use burn::tensor::Tensor;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

use super::layers::{moments, padded};
use super::{Features, Layer, Mode, Network};
use crate::experiment::{Border, Window};

impl Network {
    /// The output of a layer by Burn's operations. `place` is the layer's index in the configuration's list.
    pub(super) fn apply_plain(
        &self,
        place: usize,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
        mode: &mut Mode,
    ) -> Features {
        match *layer {
            Layer::Conv2d { kernel, bias, strides, padding, .. } => {
                let shape: [usize; 4] = self.shape(kernel);
                // HWIO -> OIHW
                let weight = value(kernel).reshape(shape).permute([3, 2, 0, 1]);
                let Border { top, bottom, left, right } = padding;
                let padding = [(top, bottom), (left, right)];
                let options = ConvOptions::new_with_padding([strides, strides], padding, [1, 1], 1);
                Features::Planes(conv2d(input.planes(), weight, bias.map(value), options))
            }
            Layer::Dense { kernel, bias, .. } => {
                let shape: [usize; 2] = self.shape(kernel);
                let product = input.rows().matmul(value(kernel).reshape(shape));
                Features::Rows(match bias {
                    Some(bias) => product + value(bias).unsqueeze(),
                    None => product,
                })
            }
            Layer::LocallyConnected { kernel, bias, .. } => {
                let pixels = input.clone().pixels();
                let weights = value(kernel).reshape(self.shape::<4>(kernel));
                let output = locally_connected(pixels, weights);
                let output = match bias {
                    Some(bias) => output + value(bias).reshape(self.shape::<3>(bias)).unsqueeze(),
                    None => output,
                };
                input.with_pixels(output)
            }
            Layer::MaxPool(window) => input.map_planes(|planes| max_pool(planes, window)),
            Layer::GlobalMaxPool => {
                let planes = input.planes();
                let [images, channels, height, width] = planes.dims();
                let pooled = max_pool2d(planes, MaxPoolOptions::new([height, width]));
                Features::Rows(pooled.reshape([images, channels]))
            }
            Layer::BatchNorm { first, momentum, epsilon, frozen, .. } => {
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
            Layer::Dropout { rate } => match mode {
                Mode::Inference => input,
                Mode::Training { noise, .. } => {
                    let scale = 1.0 / (1.0 - rate as f32);
                    let kept = |number: f32| if number >= rate as f32 { scale } else { 0.0 };
                    let mut numbers = vec![0.0; input.count()];
                    noise(place, &mut numbers);
                    input.times(numbers.into_iter().map(kept).collect())
                }
            },
            _ => unreachable!("every layer without a kernel is in `layers`"),
        }
    }
}

/// # Shapes
/// - planes: `[images, channels, height, width]`
fn max_pool(planes: Tensor<4>, window: Window) -> Tensor<4> {
    let (size, strides) = (window.size as usize, window.strides as usize);
    let planes = padded(planes, window, f32::NEG_INFINITY);
    max_pool2d(planes, MaxPoolOptions::new([size, size]).with_stride([strides, strides]))
}

/// A convolution with its own kernel at each place.
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
            // One weight of each filter at each place. A matrix product would bring much code for a rare layer.
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
