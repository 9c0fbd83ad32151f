//! Batch normalisation, forward and backward.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};

use super::storage::{contiguous, floats, tensor};
use super::{Flex, FlexTensor};
use crate::kernels::batch_norm::{self, BatchNorm, Inputs};
use crate::kernels::buffers::Buffers;
use crate::kernels::lanes::Instructions;

#[derive(Debug)]
pub struct BackwardPass;

#[derive(Clone, Debug)]
pub struct State {
    input: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    /// The mean and variance that normalise the input.
    pub mean: FlexTensor,
    pub variance: FlexTensor,
    norm: BatchNorm,
    buffers: Buffers,
}

impl State {
    pub fn new(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        norm: BatchNorm,
        buffers: &Buffers,
    ) -> Self {
        let (mean, variance) = if norm.of_batch {
            let mut mean = buffers.floats(norm.channels);
            let mut variance = buffers.floats(norm.channels);
            let instructions = Instructions::best();
            batch_norm::moments(&norm, floats(&input), &mut mean, &mut variance, instructions);
            (tensor(mean, [norm.channels]), tensor(variance, [norm.channels]))
        } else {
            (mean, variance)
        };
        Self { input, gamma, beta, mean, variance, norm, buffers: buffers.clone() }
    }

    pub fn run(&self) -> FlexTensor {
        let mut output = self.buffers.floats(floats(&self.input).len());
        batch_norm::forward(
            &self.norm,
            self.inputs(),
            &mut output,
            Instructions::best(),
            &self.buffers,
        );
        tensor(output, self.input.layout().shape().clone())
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            input: floats(&self.input),
            gamma: floats(&self.gamma),
            beta: floats(&self.beta),
            mean: floats(&self.mean),
            variance: floats(&self.variance),
        }
    }
}

impl Backward<Flex, 3> for BackwardPass {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let state = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [to_input, to_gamma, to_beta] = ops.parents;
        let channels = state.norm.channels;
        let floats_of_input = floats(&state.input).len();
        let mut of_input = to_input.as_ref().map(|_| state.buffers.floats(floats_of_input));
        let mut of_gamma = state.buffers.floats(channels);
        let mut of_beta = state.buffers.floats(channels);
        batch_norm::backward(
            &state.norm,
            state.inputs(),
            floats(&gradient),
            batch_norm::Gradients {
                input: of_input.as_deref_mut(),
                gamma: &mut of_gamma,
                beta: &mut of_beta,
            },
            Instructions::best(),
            &state.buffers,
        );
        if let (Some(node), Some(gradient)) = (to_input, of_input) {
            let size = state.input.layout().shape().clone();
            gradients.register::<Flex>(node.id, tensor(gradient, size));
        }
        if let Some(node) = to_gamma {
            gradients.register::<Flex>(node.id, tensor(of_gamma, [channels]));
        }
        if let Some(node) = to_beta {
            gradients.register::<Flex>(node.id, tensor(of_beta, [channels]));
        }
    }
}
