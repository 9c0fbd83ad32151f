//! Max-pool, forward and backward.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};

use super::storage::{contiguous, floats, tensor};
use super::{Flex, FlexTensor};
use crate::kernels::buffers::{Buffer, Buffers};
use crate::kernels::lanes::Instructions;
use crate::kernels::max_pool::{self, MaxPool};

#[derive(Debug)]
pub struct BackwardPass;

#[derive(Clone, Debug)]
pub struct State {
    pool: MaxPool,
    winners: Arc<Buffer<f32>>,
    buffers: Buffers,
}

impl State {
    pub fn new(pool: MaxPool, winners: Buffer<f32>, buffers: &Buffers) -> Self {
        Self { pool, winners: Arc::new(winners), buffers: buffers.clone() }
    }
}

impl Backward<Flex, 1> for BackwardPass {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State { pool, winners, buffers } = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [input] = ops.parents;
        let Some(node) = input else { return };
        let mut of_input = buffers.floats(pool.input_size());
        max_pool::backward(&pool, floats(&gradient), &winners, &mut of_input);
        let size = [pool.images, pool.rows.input, pool.columns.input, pool.channels];
        gradients.register::<Flex>(node.id, tensor(of_input, size));
    }
}

/// The output, and the positions of the winning pixels.
pub fn run(input: &FlexTensor, pool: MaxPool, buffers: &Buffers) -> (FlexTensor, Buffer<f32>) {
    let mut output = buffers.floats(pool.output_size());
    let mut winners = buffers.floats(pool.output_size());
    max_pool::forward(&pool, floats(input), &mut output, &mut winners, Instructions::best());
    let size = [pool.images, pool.rows.output(), pool.columns.output(), pool.channels];
    (tensor(output, size), winners)
}
