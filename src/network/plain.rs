//! Layers as Burn's own operations. Its convolution wants channels first, and so activations lie between the first layer and
//! `flatten`.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

use super::{Features, Layer, Network};

impl Network {
    pub(super) fn apply_plain(
        &self,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
    ) -> Features {
        match *layer {
            Layer::Conv2d { kernel, bias, padding: [before, after], .. } => {
                let shape: [usize; 4] = self.shape(kernel);
                // HWIO -> OIHW
                let weight = value(kernel).reshape(shape).permute([3, 2, 0, 1]);
                let padding = [(before, after); 2];
                let options = ConvOptions::new_with_padding([1, 1], padding, [1, 1], 1);
                Features::Planes(conv2d(planes(input), weight, bias.map(value), options))
            }
            Layer::MaxPool { pool } => {
                Features::Planes(max_pool2d(planes(input), MaxPoolOptions::new([pool, pool])))
            }
            Layer::Flatten => {
                let planes = planes(input);
                let [images, channels, height, width] = planes.dims();
                // NCHW -> NHWC: Keras' order, in which the dense kernel's rows lie.
                let pixels = planes.permute([0, 2, 3, 1]);
                Features::Rows(pixels.reshape([images, height * width * channels]))
            }
            Layer::Dense { kernel, bias, .. } => {
                let shape: [usize; 2] = self.shape(kernel);
                let product = input.rows().matmul(value(kernel).reshape(shape));
                Features::Rows(match bias {
                    Some(bias) => product + value(bias).unsqueeze(),
                    None => product,
                })
            }
            Layer::Relu => match input {
                Features::Rows(rows) => Features::Rows(relu(rows)),
                input => Features::Planes(relu(planes(input))),
            },
        }
    }
}

fn planes(features: Features) -> Tensor<4> {
    match features {
        Features::Planes(planes) => planes,
        _ => unreachable!("layer_shapes refuses this layer on rows"),
    }
}
