//! Locally connected layers, forward and backward.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};

use super::storage::{contiguous, floats, tensor};
use super::{Flex, FlexTensor};
use crate::kernels::buffers::Buffers;
use crate::kernels::lanes::Instructions;
use crate::kernels::locally_connected::{self, Inputs, LocallyConnected};

#[derive(Debug)]
pub struct BackwardPass;

#[derive(Clone, Debug)]
pub struct State {
    pub input: FlexTensor,
    pub kernel: FlexTensor,
    pub bias: FlexTensor,
    pub output: FlexTensor,
    pub layer: LocallyConnected,
    pub buffers: Buffers,
}

impl Backward<Flex, 3> for BackwardPass {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State { input, kernel, bias, output, layer, buffers } = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [to_input, to_kernel, to_bias] = ops.parents;
        let mut of_input = to_input.as_ref().map(|_| buffers.floats(layer.input_size()));
        let mut of_kernel = buffers.floats(layer.kernel_size());
        let mut of_bias = buffers.floats(layer.bias_size());
        locally_connected::backward(
            &layer,
            inputs(&input, &kernel, &bias),
            floats(&output),
            floats(&gradient),
            locally_connected::Gradients {
                input: of_input.as_deref_mut(),
                kernel: &mut of_kernel,
                bias: &mut of_bias,
            },
            Instructions::best(),
            &buffers,
        );
        if let (Some(node), Some(gradient)) = (to_input, of_input) {
            let size = input.layout().shape().clone();
            gradients.register::<Flex>(node.id, tensor(gradient, size));
        }
        if let Some(node) = to_kernel {
            gradients.register::<Flex>(node.id, tensor(of_kernel, [layer.kernel_size()]));
        }
        if let Some(node) = to_bias {
            gradients.register::<Flex>(node.id, tensor(of_bias, [layer.bias_size()]));
        }
    }
}

fn inputs<'a>(input: &'a FlexTensor, kernel: &'a FlexTensor, bias: &'a FlexTensor) -> Inputs<'a> {
    Inputs { input: floats(input), kernel: floats(kernel), bias: floats(bias) }
}

pub fn run(
    input: &FlexTensor,
    kernel: &FlexTensor,
    bias: &FlexTensor,
    layer: LocallyConnected,
    buffers: &Buffers,
) -> FlexTensor {
    let mut output = buffers.floats(layer.output_size());
    let inputs = inputs(input, kernel, bias);
    locally_connected::forward(&layer, inputs, &mut output, Instructions::best());
    tensor(output, [layer.images, layer.output_height(), layer.output_width(), layer.filters])
}
