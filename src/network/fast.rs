//! The layers that the crate's kernels compute, with activations in NHWC order.

use burn::tensor::Tensor;

use super::{Features, Layer, Mode, Network, Step};
use crate::experiment::{Border, Fusible};
use crate::kernels::batch_norm::BatchNorm;
use crate::kernels::buffers::Buffers;
use crate::kernels::convolution::{Block, Padding, Shape};
use crate::kernels::dense::Dense;
use crate::kernels::locally_connected::LocallyConnected;
use crate::kernels::max_pool::{Axis, MaxPool};
use crate::operations::{self, DropoutNoise, NormVariables};

/// Joins steps that one kernel computes together: a ReLU and a max-pool with the convolution before them, a ReLU with a dense
/// layer, locally connected layer or batch normalisation before it.
pub(super) fn fused(steps: &[Step]) -> Vec<Step> {
    let mut fused: Vec<Step> = Vec::new();
    for step in steps {
        let joined = fused.last_mut().is_some_and(|before| before.takes(step));
        if !joined {
            fused.push(step.clone());
        }
    }
    fused
}

impl Step {
    fn fusible(&self) -> Fusible {
        match self.layer {
            Layer::Conv2d { pool: 1, .. } => Fusible::Convolution,
            Layer::LocallyConnected { .. } | Layer::Dense { .. } | Layer::BatchNorm { .. } => {
                Fusible::BeforeRelu
            }
            _ => Fusible::Alone,
        }
    }

    /// Joins the next step with this one where one kernel computes both. Returns whether it does.
    fn takes(&mut self, next: &Step) -> bool {
        let fusible = self.fusible();
        match (&mut self.layer, &next.layer) {
            (
                Layer::Conv2d { relu, .. }
                | Layer::LocallyConnected { relu, .. }
                | Layer::Dense { relu, .. }
                | Layer::BatchNorm { relu, .. },
                Layer::Relu,
            ) if fusible.takes_relu() => {
                *relu = true;
                self.relu_of = next.relu_of;
                true
            }
            (Layer::Conv2d { pool, .. }, Layer::MaxPool(window)) if fusible.takes_pool(*window) => {
                *pool = window.size as usize;
                true
            }
            _ => false,
        }
    }
}

impl Network {
    /// The output of a layer by the crate's kernels. `place` is the layer's index in the configuration's list.
    pub(super) fn apply_fast(
        &self,
        place: usize,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
        buffers: &Buffers,
        mode: &mut Mode,
    ) -> Features {
        let bias_or_zero = |bias: Option<usize>, like: &Tensor<1>, units: usize| match bias {
            Some(bias) => value(bias),
            None => Tensor::zeros([units], &like.device()),
        };
        match *layer {
            Layer::Conv2d { kernel, bias, strides, padding, relu, pool } => {
                let input = input.pixels();
                let [images, height, width, channels] = input.dims();
                let [window, _, _, filters] = self.shape(kernel);
                let Border { top, bottom, left, right } = padding;
                let shape = Shape {
                    images,
                    height,
                    width,
                    channels,
                    filters,
                    window,
                    stride: strides,
                    padding: Padding { top, bottom, left, right },
                };
                let kernel = value(kernel);
                let bias = bias_or_zero(bias, &kernel, filters);
                let block = Block { shape, relu, pool };
                Features::Pixels(operations::block(input, kernel, bias, block, buffers))
            }
            Layer::Dense { kernel, bias, relu } => {
                let input = input.rows();
                let [inputs, units] = self.shape(kernel);
                let dense = Dense { images: input.dims()[0], inputs, units, relu };
                let kernel = value(kernel);
                let bias = bias_or_zero(bias, &kernel, units);
                Features::Rows(operations::dense(input, kernel, bias, dense, buffers))
            }
            Layer::LocallyConnected { kernel, bias, relu } => {
                let input = input.pixels();
                let [images, height, width, channels] = input.dims();
                let [rows, columns, _, filters] = self.shape(kernel);
                let window = height - rows + 1;
                let layer =
                    LocallyConnected { images, height, width, channels, filters, window, relu };
                let kernel = value(kernel);
                let bias = bias_or_zero(bias, &kernel, rows * columns * filters);
                Features::Pixels(operations::locally_connected(input, kernel, bias, layer, buffers))
            }
            Layer::BatchNorm { first, momentum, epsilon, frozen, relu } => {
                let images = input.clone().into_images();
                let [count, height, width, channels] = images.dims();
                let pixels = count * height * width;
                let of_batch = !frozen && matches!(mode, Mode::Training { .. });
                let epsilon = epsilon as f32;
                let norm = BatchNorm { pixels, channels, epsilon, of_batch, relu };
                let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|n| first + n);
                let moving = [mean, variance];
                let variables = NormVariables {
                    gamma: value(gamma),
                    beta: value(beta),
                    mean: value(mean),
                    variance: value(variance),
                };
                let (output, mean, variance) =
                    operations::batch_norm(images, variables, norm, buffers);
                if let (Mode::Training { moved, .. }, true) = (mode, of_batch) {
                    for (index, batch) in moving.into_iter().zip([mean, variance]) {
                        let before = self.variables[index].value.clone().inner();
                        let batch = batch.inner();
                        moved.push((index, before * momentum + batch * (1.0 - momentum)));
                    }
                }
                input.with_units(output)
            }
            Layer::Dropout { rate } => match mode {
                Mode::Inference => input,
                Mode::Training { noise, .. } => {
                    let mut numbers = buffers.floats(input.count());
                    noise(place, &mut numbers);
                    let noise = DropoutNoise::new(numbers, rate as f32);
                    input.map(
                        |rows| operations::dropout(rows, &noise, buffers),
                        |maps| operations::dropout(maps, &noise, buffers),
                    )
                }
            },
            Layer::MaxPool(window) => {
                let input = input.pixels();
                let [images, height, width, channels] = input.dims();
                let axis = |input: usize| Axis {
                    input,
                    window: window.size as usize,
                    stride: window.strides as usize,
                    padding: window.padded(input),
                };
                let pool = MaxPool { images, rows: axis(height), columns: axis(width), channels };
                Features::Pixels(operations::max_pool(input, pool, buffers))
            }
            Layer::GlobalMaxPool => {
                let input = input.pixels();
                let [images, height, width, channels] = input.dims();
                let axis = |input| Axis { input, window: input, stride: 1, padding: [0, 0] };
                let pool = MaxPool { images, rows: axis(height), columns: axis(width), channels };
                let pooled = operations::max_pool(input, pool, buffers);
                Features::Rows(pooled.reshape([images, channels]))
            }
            _ => unreachable!("every layer without a kernel is in `layers`"),
        }
    }
}
