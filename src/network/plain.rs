//! Convolutions and dense layers as Burn's own operations. Its convolution wants channels first, and so activations lie between
//! the first layer and `flatten`.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::{Features, Layer, Network};

impl Network {
    pub(super) fn apply_plain(
        &self,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
    ) -> Features {
        match *layer {
            Layer::Conv2d { kernel, bias, strides, padding: [before, after], .. } => {
                let shape: [usize; 4] = self.shape(kernel);
                // HWIO -> OIHW
                let weight = value(kernel).reshape(shape).permute([3, 2, 0, 1]);
                let padding = [(before, after); 2];
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
            _ => unreachable!("every other layer is computed in `common`"),
        }
    }
}
