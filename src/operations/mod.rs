//! The kernels as operations of Burn's CPU backend, each with its own backward pass registered with autodiff.
//!
//! Tensors have Keras' layouts: activations NHWC, kernels HWIO. The axes after the first are flat where their shape is not needed.

mod batch_norm;
mod dropout;
mod locally_connected;
mod max_pool;
mod storage;

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, ExtensionType, Flex, backend_extension,
};
use burn::tensor::{Bytes, DType, Tensor};

use crate::kernels::batch_norm::BatchNorm;
use crate::kernels::buffers::{Buffer, Buffers};
use crate::kernels::convolution::{self, Block, Plan};
use crate::kernels::dense::{self, Dense};
use crate::kernels::lanes::Instructions;
use crate::kernels::locally_connected::LocallyConnected;
use crate::kernels::loss;
use crate::kernels::max_pool::MaxPool;
use crate::kernels::update::Update;
pub use dropout::DropoutNoise;
use storage::{contiguous, floats, tensor};

/// The operations that the crate's kernels add to a backend.
#[backend_extension(Flex, Autodiff)]
pub trait Kernels: Backend {
    /// See [`block`].
    fn block(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        block: Block,
        buffers: &Buffers,
    ) -> FloatTensor<Self>;

    /// See [`dense()`].
    fn dense(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dense: Dense,
        buffers: &Buffers,
    ) -> FloatTensor<Self>;

    /// See [`locally_connected()`].
    fn locally_connected(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layer: LocallyConnected,
        buffers: &Buffers,
    ) -> FloatTensor<Self>;

    /// See [`batch_norm()`].
    fn batch_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: BatchNorm,
        buffers: &Buffers,
    ) -> Normalised<Self>;

    /// See [`dropout()`].
    fn dropout(
        input: FloatTensor<Self>,
        noise: &DropoutNoise,
        buffers: &Buffers,
    ) -> FloatTensor<Self>;

    /// See [`max_pool()`].
    fn max_pool(input: FloatTensor<Self>, pool: MaxPool, buffers: &Buffers) -> FloatTensor<Self>;

    /// See [`cross_entropy`].
    fn cross_entropy(
        logits: FloatTensor<Self>,
        labels: &[u32],
        buffers: &Buffers,
    ) -> FloatTensor<Self>;

    /// See [`active`].
    fn active(output: FloatTensor<Self>, units: usize) -> FloatTensor<Self>;

    /// See [`update`].
    fn update(
        weights: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        update: Update,
    ) -> Updated<Self>;
}

/// The results of an optimizer's step.
#[derive(ExtensionType)]
pub struct Updated<B: Backend> {
    pub weights: FloatTensor<B>,
    pub first: FloatTensor<B>,
    pub second: FloatTensor<B>,
    pub sum_of_squares: f64,
}

/// The results of a batch normalisation.
#[derive(ExtensionType)]
pub struct Normalised<B: Backend> {
    pub output: FloatTensor<B>,
    /// The mean and variance that normalised the input, without a gradient.
    pub mean: FloatTensor<B>,
    pub variance: FloatTensor<B>,
}

/// A convolution with its bias and, where the block has them, ReLU and max-pool; see [`convolution::forward`].
///
/// # Shapes
/// - input: `[images, height, width, channels]`
/// - kernel: `[window * window * channels * filters]`
/// - bias: `[filters]`
/// - returns `[images, output height, output width, filters]`
pub fn block(
    input: Tensor<4>,
    kernel: Tensor<1>,
    bias: Tensor<1>,
    block: Block,
    buffers: &Buffers,
) -> Tensor<4> {
    let [input, kernel, bias] =
        [input.into_dispatch(), kernel.into_dispatch(), bias.into_dispatch()];
    Tensor::from_dispatch(<Dispatch as Kernels>::block(input, kernel, bias, block, buffers))
}

/// A dense layer with its bias and, where it has one, its ReLU; see [`dense::forward`].
///
/// # Shapes
/// - input: `[images, inputs]`
/// - kernel: `[inputs * units]`
/// - bias: `[units]`
/// - returns `[images, units]`
pub fn dense(
    input: Tensor<2>,
    kernel: Tensor<1>,
    bias: Tensor<1>,
    dense: Dense,
    buffers: &Buffers,
) -> Tensor<2> {
    let [input, kernel, bias] =
        [input.into_dispatch(), kernel.into_dispatch(), bias.into_dispatch()];
    Tensor::from_dispatch(<Dispatch as Kernels>::dense(input, kernel, bias, dense, buffers))
}

/// A locally connected layer with its bias and, where it has one, its ReLU; see [`crate::kernels::locally_connected::forward`].
///
/// # Shapes
/// - input: `[images, height, width, channels]`
/// - kernel: `[output height * output width * window * window * channels * filters]`
/// - bias: `[output height * output width * filters]`
/// - returns `[images, output height, output width, filters]`
pub fn locally_connected(
    input: Tensor<4>,
    kernel: Tensor<1>,
    bias: Tensor<1>,
    layer: LocallyConnected,
    buffers: &Buffers,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Kernels>::locally_connected(
        input.into_dispatch(),
        kernel.into_dispatch(),
        bias.into_dispatch(),
        layer,
        buffers,
    ))
}

/// The variables of a batch normalisation, each `[channels]`.
pub struct NormVariables {
    pub gamma: Tensor<1>,
    pub beta: Tensor<1>,
    /// The moving mean and variance, used where the batch's own are not.
    pub mean: Tensor<1>,
    pub variance: Tensor<1>,
}

/// A batch normalisation and, where it has one, the ReLU after it; see [`crate::kernels::batch_norm`]. Where `norm` normalises by
/// the batch, the batch's mean and variance are computed. Returns the output, and the mean and variance used, untracked.
///
/// # Shapes
/// - input: `[.., channels]`, of the size in `norm`
/// - returns the input's shape, `[channels]`, `[channels]`
pub fn batch_norm(
    input: Tensor<4>,
    variables: NormVariables,
    norm: BatchNorm,
    buffers: &Buffers,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let normalised = <Dispatch as Kernels>::batch_norm(
        input.into_dispatch(),
        variables.gamma.into_dispatch(),
        variables.beta.into_dispatch(),
        variables.mean.into_dispatch(),
        variables.variance.into_dispatch(),
        norm,
        buffers,
    );
    (
        Tensor::from_dispatch(normalised.output),
        Tensor::from_dispatch(normalised.mean),
        Tensor::from_dispatch(normalised.variance),
    )
}

/// A dropout by given noise, one number for each value of the input in NHWC order; see [`crate::kernels::dropout`].
pub fn dropout<const D: usize>(
    input: Tensor<D>,
    noise: &DropoutNoise,
    buffers: &Buffers,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Kernels>::dropout(input.into_dispatch(), noise, buffers))
}

/// A max-pool; see [`crate::kernels::max_pool::forward`].
///
/// # Shapes
/// - input: `[images, height, width, channels]`
/// - returns `[images, output height, output width, channels]`
pub fn max_pool(input: Tensor<4>, pool: MaxPool, buffers: &Buffers) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Kernels>::max_pool(input.into_dispatch(), pool, buffers))
}

/// The mean cross-entropy of a batch; see [`loss::cross_entropy`].
///
/// # Shapes
/// - logits: `[images, classes]`
/// - returns `[1]`
pub fn cross_entropy(logits: Tensor<2>, labels: &[u32], buffers: &Buffers) -> Tensor<1> {
    let logits = logits.into_dispatch();
    Tensor::from_dispatch(<Dispatch as Kernels>::cross_entropy(logits, labels, buffers))
}

/// 1 for each unit that is above zero or NaN in any row, 0 for the others.
///
/// # Shapes
/// - output: `[.., units]`
/// - returns `[units]`
pub fn active<const D: usize>(output: Tensor<D>) -> Tensor<1> {
    let units = output.dims()[D - 1];
    Tensor::from_dispatch(<Dispatch as Kernels>::active(output.into_dispatch(), units))
}

/// One optimizer step; see [`Update::apply`]. A tensor that nothing else holds is changed in place. Slots that the step does not
/// need may have any size. Returns the weights, the slots and the sum of the gradient's squares.
pub fn update(
    weights: Tensor<1>,
    gradient: Tensor<1>,
    [first, second]: [Tensor<1>; 2],
    update: Update,
) -> (Tensor<1>, [Tensor<1>; 2], f64) {
    let updated = <Dispatch as Kernels>::update(
        weights.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        update,
    );
    let tensor = Tensor::from_dispatch;
    let slots = [tensor(updated.first), tensor(updated.second)];
    (tensor(updated.weights), slots, updated.sum_of_squares)
}

impl Kernels for Flex {
    fn block(
        input: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        block: Block,
        buffers: &Buffers,
    ) -> FlexTensor {
        run_block([&input, &kernel, &bias], block, None, buffers)
    }

    fn dense(
        input: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        dense: Dense,
        buffers: &Buffers,
    ) -> FlexTensor {
        run_dense([&input, &kernel, &bias], dense, buffers)
    }

    fn locally_connected(
        input: FlexTensor,
        kernel: FlexTensor,
        bias: FlexTensor,
        layer: LocallyConnected,
        buffers: &Buffers,
    ) -> FlexTensor {
        let [input, kernel, bias] = [input, kernel, bias].map(contiguous);
        locally_connected::run(&input, &kernel, &bias, layer, buffers)
    }

    fn batch_norm(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        norm: BatchNorm,
        buffers: &Buffers,
    ) -> Normalised<Self> {
        let [input, gamma, beta, mean, variance] =
            [input, gamma, beta, mean, variance].map(contiguous);
        let state = batch_norm::State::new(input, gamma, beta, mean, variance, norm, buffers);
        let output = state.run();
        Normalised { output, mean: state.mean, variance: state.variance }
    }

    fn dropout(input: FlexTensor, noise: &DropoutNoise, buffers: &Buffers) -> FlexTensor {
        noise.apply(&contiguous(input), buffers)
    }

    fn max_pool(input: FlexTensor, pool: MaxPool, buffers: &Buffers) -> FlexTensor {
        max_pool::run(&contiguous(input), pool, buffers).0
    }

    fn cross_entropy(logits: FlexTensor, labels: &[u32], buffers: &Buffers) -> FlexTensor {
        run_cross_entropy(&logits, labels, buffers).0
    }

    fn active(output: FlexTensor, units: usize) -> FlexTensor {
        let mut active = vec![0.0_f32; units];
        for row in floats(&contiguous(output)).chunks_exact(units) {
            for (active, &value) in active.iter_mut().zip(row) {
                // A NaN unit does not count as dead: divergence is a finding of its own.
                *active = if value <= 0.0 { *active } else { 1.0 };
            }
            if active.iter().all(|&active| active == 1.0) {
                break;
            }
        }
        FlexTensor::new(Bytes::from_elems(active), Layout::contiguous([units].into()), DType::F32)
    }

    fn update(
        weights: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        update: Update,
    ) -> Updated<Self> {
        let gradient = contiguous(gradient);
        let [mut weights, mut first, mut second] = [weights, first, second].map(contiguous);
        let sum_of_squares = update.apply(
            weights.storage_mut(),
            floats(&gradient),
            [first.storage_mut(), second.storage_mut()],
            Instructions::best(),
        );
        Updated { weights, first, second, sum_of_squares }
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn block(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        block: Block,
        buffers: &Buffers,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), kernel.node(), bias.node()];
        let inputs = [input, kernel, bias].map(|tensor| contiguous(tensor.into_parts().0));
        match BlockBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let mut winners = buffers.bytes(block.output_size());
                let output = run_block(inputs.each_ref(), block, Some(&mut winners), buffers);
                let [input, kernel, _] = inputs;
                let (winners, buffers) = (Arc::new(winners), buffers.clone());
                operation.finish(BlockState { input, kernel, block, winners, buffers }, output)
            }
            OpsKind::UnTracked(operation) => {
                operation.finish(run_block(inputs.each_ref(), block, None, buffers))
            }
        }
    }

    fn dense(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dense: Dense,
        buffers: &Buffers,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), kernel.node(), bias.node()];
        let inputs = [input, kernel, bias].map(|tensor| contiguous(tensor.into_parts().0));
        let output = run_dense(inputs.each_ref(), dense, buffers);
        match DenseBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let [input, kernel, _] = inputs;
                let (kept, buffers) = (output.clone(), buffers.clone());
                let state = DenseState { input, kernel, output: kept, dense, buffers };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn locally_connected(
        input: FloatTensor<Self>,
        kernel: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layer: LocallyConnected,
        buffers: &Buffers,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), kernel.node(), bias.node()];
        let [input, kernel, bias] =
            [input, kernel, bias].map(|tensor| contiguous(tensor.into_parts().0));
        let output = locally_connected::run(&input, &kernel, &bias, layer, buffers);
        match locally_connected::BackwardPass.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let (kept, buffers) = (output.clone(), buffers.clone());
                let state =
                    locally_connected::State { input, kernel, bias, output: kept, layer, buffers };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn batch_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        norm: BatchNorm,
        buffers: &Buffers,
    ) -> Normalised<Self> {
        let nodes = [input.node(), gamma.node(), beta.node()];
        let [input, gamma, beta, mean, variance] =
            [input, gamma, beta, mean, variance].map(|tensor| contiguous(tensor.into_parts().0));
        let state = batch_norm::State::new(input, gamma, beta, mean, variance, norm, buffers);
        let output = state.run();
        let [mean, variance] =
            [&state.mean, &state.variance].map(|moment| Self::from_inner(moment.clone()));
        let output = match batch_norm::BackwardPass.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(state, output),
            OpsKind::UnTracked(operation) => operation.finish(output),
        };
        Normalised { output, mean, variance }
    }

    fn dropout(
        input: FloatTensor<Self>,
        noise: &DropoutNoise,
        buffers: &Buffers,
    ) -> FloatTensor<Self> {
        let node = input.node();
        let output = noise.apply(&contiguous(input.into_parts().0), buffers);
        match dropout::BackwardPass.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let state = dropout::State { noise: noise.clone(), buffers: buffers.clone() };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn max_pool(input: FloatTensor<Self>, pool: MaxPool, buffers: &Buffers) -> FloatTensor<Self> {
        let node = input.node();
        let input = contiguous(input.into_parts().0);
        let (output, winners) = max_pool::run(&input, pool, buffers);
        match max_pool::BackwardPass.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let state = max_pool::State::new(pool, winners, buffers);
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn cross_entropy(
        logits: FloatTensor<Self>,
        labels: &[u32],
        buffers: &Buffers,
    ) -> FloatTensor<Self> {
        let node = logits.node();
        let logits = contiguous(logits.into_parts().0);
        let (loss, gradient) = run_cross_entropy(&logits, labels, buffers);
        match LossBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(operation) => operation.finish(gradient, loss),
            OpsKind::UnTracked(operation) => operation.finish(loss),
        }
    }

    fn active(output: FloatTensor<Self>, units: usize) -> FloatTensor<Self> {
        Self::from_inner(Flex::active(output.into_parts().0, units))
    }

    fn update(
        _weights: FloatTensor<Self>,
        _gradient: FloatTensor<Self>,
        _first: FloatTensor<Self>,
        _second: FloatTensor<Self>,
        _update: Update,
    ) -> Updated<Self> {
        unreachable!("an optimizer's step is not recorded: it is called with inner tensors")
    }
}

#[derive(Debug)]
struct BlockBackward;

#[derive(Clone, Debug)]
struct BlockState {
    input: FlexTensor,
    kernel: FlexTensor,
    block: Block,
    winners: Arc<Buffer<u8>>,
    buffers: Buffers,
}

impl Backward<Flex, 3> for BlockBackward {
    type State = BlockState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let BlockState { input, kernel, block, winners, buffers } = ops.state;
        let output = contiguous(gradients.consume::<Flex>(&ops.node));
        let [to_input, to_kernel, to_bias] = ops.parents;
        let mut of_input = to_input.as_ref().map(|_| buffers.floats(block.shape.input_size()));
        let mut of_kernel = buffers.floats(block.shape.kernel_size());
        let mut of_bias = buffers.floats(block.shape.filters);
        convolution::backward(
            &block,
            &Plan::of(&block),
            convolution::Known {
                input: floats(&input),
                kernel: floats(&kernel),
                gradient: floats(&output),
                winners: &winners,
            },
            convolution::Gradients {
                input: of_input.as_deref_mut(),
                kernel: &mut of_kernel,
                bias: &mut of_bias,
            },
            Instructions::best(),
            &buffers,
        );
        let sizes = [input.layout(), kernel.layout()].map(|layout| layout.shape().clone());
        let [input_size, kernel_size] = sizes;
        if let (Some(node), Some(gradient)) = (to_input, of_input) {
            gradients.register::<Flex>(node.id, tensor(gradient, input_size));
        }
        if let Some(node) = to_kernel {
            gradients.register::<Flex>(node.id, tensor(of_kernel, kernel_size));
        }
        if let Some(node) = to_bias {
            gradients.register::<Flex>(node.id, tensor(of_bias, [block.shape.filters]));
        }
    }
}

#[derive(Debug)]
struct DenseBackward;

#[derive(Clone, Debug)]
struct DenseState {
    input: FlexTensor,
    kernel: FlexTensor,
    output: FlexTensor,
    dense: Dense,
    buffers: Buffers,
}

impl Backward<Flex, 3> for DenseBackward {
    type State = DenseState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let DenseState { input, kernel, output, dense, buffers } = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [to_input, to_kernel, to_bias] = ops.parents;
        let mut of_input = to_input.as_ref().map(|_| buffers.floats(dense.images * dense.inputs));
        let mut of_kernel = buffers.floats(dense.inputs * dense.units);
        let mut of_bias = buffers.floats(dense.units);
        dense::backward(
            &dense,
            dense::Known {
                input: floats(&input),
                kernel: floats(&kernel),
                output: floats(&output),
                gradient: floats(&gradient),
            },
            dense::Gradients {
                input: of_input.as_deref_mut(),
                kernel: &mut of_kernel,
                bias: &mut of_bias,
            },
            Instructions::best(),
            &buffers,
        );
        if let (Some(node), Some(gradient)) = (to_input, of_input) {
            let size = [dense.images, dense.inputs];
            gradients.register::<Flex>(node.id, tensor(gradient, size));
        }
        if let Some(node) = to_kernel {
            let size = [dense.inputs * dense.units];
            gradients.register::<Flex>(node.id, tensor(of_kernel, size));
        }
        if let Some(node) = to_bias {
            gradients.register::<Flex>(node.id, tensor(of_bias, [dense.units]));
        }
    }
}

#[derive(Debug)]
struct LossBackward;

impl Backward<Flex, 1> for LossBackward {
    /// The gradient of the logits.
    type State = FlexTensor;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let factor = gradients.consume::<Flex>(&ops.node);
        let factor = floats(&contiguous(factor))[0];
        let mut gradient = ops.state;
        let [logits] = ops.parents;
        if let Some(node) = logits {
            gradient.storage_mut::<f32>().iter_mut().for_each(|value| *value *= factor);
            gradients.register::<Flex>(node.id, gradient);
        }
    }
}

fn run_block(
    [input, kernel, bias]: [&FlexTensor; 3],
    block: Block,
    winners: Option<&mut [u8]>,
    buffers: &Buffers,
) -> FlexTensor {
    let [input, kernel, bias] = [input, kernel, bias].map(|tensor| contiguous(tensor.clone()));
    let mut output = buffers.floats(block.output_size());
    convolution::forward(
        &block,
        &Plan::of(&block),
        convolution::Inputs { input: floats(&input), kernel: floats(&kernel), bias: floats(&bias) },
        &mut output,
        winners,
        Instructions::best(),
        buffers,
    );
    let size =
        [block.shape.images, block.output_height(), block.output_width(), block.shape.filters];
    tensor(output, size)
}

fn run_dense(
    [input, kernel, bias]: [&FlexTensor; 3],
    dense: Dense,
    buffers: &Buffers,
) -> FlexTensor {
    let [input, kernel, bias] = [input, kernel, bias].map(|tensor| contiguous(tensor.clone()));
    let mut output = buffers.floats(dense.images * dense.units);
    let inputs =
        dense::Inputs { input: floats(&input), kernel: floats(&kernel), bias: floats(&bias) };
    dense::forward(&dense, inputs, &mut output, Instructions::best(), buffers);
    tensor(output, [dense.images, dense.units])
}

fn run_cross_entropy(
    logits: &FlexTensor,
    labels: &[u32],
    buffers: &Buffers,
) -> (FlexTensor, FlexTensor) {
    let logits = contiguous(logits.clone());
    let mut gradient = buffers.floats(floats(&logits).len());
    let mut loss = buffers.floats(1);
    loss[0] = loss::cross_entropy(floats(&logits), labels, &mut gradient);
    (tensor(loss, [1]), tensor(gradient, logits.layout().shape().clone()))
}
