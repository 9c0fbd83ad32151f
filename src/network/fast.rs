//! Convolutions and dense layers as the crate's own kernels compute them, activations in NHWC order throughout.

use burn::tensor::Tensor;

use super::{Features, Layer, Network};
use crate::kernels::buffers::Buffers;
use crate::kernels::convolution::{Block, LARGEST_POOL, Shape};
use crate::kernels::dense::Dense;
use crate::operations;

/// The layers with what one kernel computes together drawn together: a ReLU and a max-pool into the convolution in front of
/// them, a ReLU into a dense layer.
pub(super) fn fused(layers: &[(usize, Layer)]) -> Vec<(usize, Layer)> {
    let mut fused: Vec<(usize, Layer)> = Vec::new();
    for (index, layer) in layers {
        let joined = match (fused.last_mut().map(|(_, layer)| layer), layer) {
            (
                Some(Layer::Conv2d { relu, pool: 1, .. } | Layer::Dense { relu, .. }),
                Layer::Relu,
            ) => {
                *relu = true;
                true
            }
            (Some(Layer::Conv2d { pool: inside @ 1, .. }), Layer::MaxPool(window))
                if window.lies_side_by_side() && window.size as usize <= LARGEST_POOL =>
            {
                *inside = window.size as usize;
                true
            }
            _ => false,
        };
        if !joined {
            fused.push((*index, layer.clone()));
        }
    }
    fused
}

impl Network {
    pub(super) fn apply_fast(
        &self,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
        buffers: &Buffers,
    ) -> Features {
        let bias_or_zero = |bias: Option<usize>, like: &Tensor<1>, units: usize| match bias {
            Some(bias) => value(bias),
            None => Tensor::zeros([units], &like.device()),
        };
        match *layer {
            Layer::Conv2d { kernel, bias, strides, padding, relu, pool } => {
                let input = input.pixels();
                let [images, height, width, channels] = input.dims();
                let [kernel_size, _, _, filters] = self.shape(kernel);
                let shape = Shape {
                    images,
                    height,
                    width,
                    channels,
                    filters,
                    kernel: kernel_size,
                    stride: strides,
                    padding,
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
            _ => unreachable!("every other layer is computed in `common`"),
        }
    }
}
