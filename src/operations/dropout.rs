//! Dropout, forward and backward.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};

use super::storage::{contiguous, floats, tensor};
use super::{Flex, FlexTensor};
use crate::kernels::buffers::{Buffer, Buffers};
use crate::kernels::dropout::Dropout;
use crate::kernels::lanes::Instructions;

/// The random numbers that decide which values one step drops.
#[derive(Clone, Debug)]
pub struct DropoutNoise {
    /// Uniform numbers in [0, 1): a value is dropped where its number is below the rate.
    noise: Arc<Buffer<f32>>,
    rate: f32,
}

impl DropoutNoise {
    pub fn new(noise: Buffer<f32>, rate: f32) -> Self {
        Self { noise: Arc::new(noise), rate }
    }

    pub fn apply(&self, from: &FlexTensor, buffers: &Buffers) -> FlexTensor {
        let mut to = buffers.floats(self.noise.len());
        let dropout = Dropout { noise: &self.noise, rate: self.rate };
        dropout.apply(floats(from), &mut to, Instructions::best());
        tensor(to, from.layout().shape().clone())
    }
}

#[derive(Debug)]
pub struct BackwardPass;

#[derive(Clone, Debug)]
pub struct State {
    pub noise: DropoutNoise,
    pub buffers: Buffers,
}

impl Backward<Flex, 1> for BackwardPass {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State { noise, buffers } = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [input] = ops.parents;
        if let Some(node) = input {
            gradients.register::<Flex>(node.id, noise.apply(&gradient, &buffers));
        }
    }
}
