//! The CNN, built from a [`NetworkConfig`](crate::experiment::NetworkConfig): its variables and its forward pass.
//!
//! Variables keep Keras' layouts: kernels HWIO, dense kernels input by output, rows flattened in NHWC order. So weights,
//! fixtures and exports need no reordering. `layers` lists the variables of every layer, which `build` makes, and computes the
//! layers without a kernel. `fast` computes the layers with a kernel, and `plain` computes those by Burn's operations, the
//! reference that the kernels are tested against.

mod build;
mod fast;
mod features;
pub mod initializer;
mod layers;
#[cfg(feature = "plain")]
mod plain;
mod softmax;

use burn::tensor::activation::sigmoid;
#[cfg(feature = "plain")]
use burn::tensor::{Device, Int, TensorData};
use burn::tensor::{Gradients, Tensor};

use crate::backend::{self, Backend, Compute};
use crate::dataset::{Dataset, ImageSize};
use crate::experiment::Head;

pub use build::Wanted;
pub use features::Features;
use layers::Layer;
pub use softmax::{log_softmax, softmax};

/// The role of a variable in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Kernel,
    Bias,
    Gamma,
    Beta,
    MovingMean,
    MovingVariance,
}

impl Role {
    /// Whether gradients change the variable. Moving averages follow the batches instead.
    pub fn is_trained(self) -> bool {
        match self {
            Self::Kernel | Self::Bias | Self::Gamma | Self::Beta => true,
            Self::MovingMean | Self::MovingVariance => false,
        }
    }

    fn keras_name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Bias => "bias",
            Self::Gamma => "gamma",
            Self::Beta => "beta",
            Self::MovingMean => "moving_mean",
            Self::MovingVariance => "moving_variance",
        }
    }
}

/// One tensor of a layer, kept flat, because an optimizer treats all variables alike.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name, numbered as in Keras: `conv2d_0/kernel`, `dense_1/bias`.
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
    /// `[product of shape]`, tracked by autodiff unless it is a moving average.
    pub value: Tensor<1>,
    /// Whether an optimizer changes the variable: its role is trained, and its layer is not frozen.
    pub trainable: bool,
}

impl Variable {
    /// The values in the order of `shape`.
    pub fn values(&self) -> Vec<f32> {
        backend::floats(self.value.clone().inner().into_data())
    }
}

/// One computation of the forward pass: a layer, or an activation.
#[derive(Clone, Debug)]
struct Step {
    /// The layer's index in the configuration's list.
    place: usize,
    layer: Layer,
    /// The layer index of the ReLU that this step computes, alone or together with its layer.
    relu_of: Option<usize>,
}

impl Step {
    fn new(place: usize, layer: Layer) -> Self {
        let relu_of = matches!(layer, Layer::Relu).then_some(place);
        Self { place, layer, relu_of }
    }
}

/// Sees the outputs of the layers during a forward pass.
pub trait Observer {
    /// Takes the output of a layer and returns the input of the next layer, usually unchanged.
    fn output(&mut self, seen: Seen, output: Features) -> Features;
}

/// The layer that an output belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The layer's index in the configuration's list.
    pub layer: usize,
    /// Whether the output is the layer's last, after its activation.
    pub is_complete: bool,
    /// The layer index of the ReLU whose active units the output shows: this layer, or the layer before this max-pool.
    pub relu: Option<usize>,
}

/// An observer that does nothing.
impl Observer for () {
    fn output(&mut self, _: Seen, output: Features) -> Features {
        output
    }
}

/// The network's output for these logits.
pub fn outputs(head: Head, logits: Tensor<2>) -> Tensor<2> {
    match head {
        Head::Open => logits,
        Head::Softmax => softmax(logits),
        Head::Sigmoid => sigmoid(logits),
    }
}

/// The network with its weights.
#[derive(Clone, Debug)]
pub struct Network {
    /// Every layer and activation as a step of its own.
    steps: Vec<Step>,
    /// The steps with those joined that one kernel computes together.
    fused: Vec<Step>,
    /// The last activation, where losses look past it. The steps leave it out and end with the logits.
    pub head: Head,
    pub variables: Vec<Variable>,
    /// Whether training also runs the network in inference mode.
    inference_mode: bool,
    backend: Backend,
}

/// Fills a slice with uniform random numbers in [0, 1) for the layer with this index in the configuration's list.
pub type Noise<'a> = dyn FnMut(usize, &mut [f32]) + 'a;

/// The mode of layers that compute something else in training than in inference.
enum Mode<'a> {
    Inference,
    Training {
        noise: &'a mut Noise<'a>,
        /// The indices and new values of moving averages.
        moved: &'a mut Vec<(usize, Tensor<1>)>,
    },
}

/// The results of a training step's forward pass.
pub struct Passed {
    /// The logits, `[images, units]`, before the head's activation and tracked by autodiff.
    pub logits: Tensor<2>,
    /// The new values of the moving averages; see [`Network::move_averages`].
    moved: Vec<(usize, Tensor<1>)>,
}

impl Network {
    /// All images of a dataset, in this network's order of axes.
    pub fn images(&self, dataset: &Dataset) -> Tensor<4> {
        self.tensor(dataset, dataset.images.clone())
    }

    /// The images of a batch, taken from `pixels`, which may be the dataset's or altered ones. Selecting from a tensor instead
    /// would bring the code of a backward pass, which images do not need, into the wasm.
    pub fn picked(&self, dataset: &Dataset, pixels: &[f32], batch: &[u32]) -> Tensor<4> {
        let size = pixels.len() / dataset.len();
        let mut picked = Vec::with_capacity(batch.len() * size);
        for &image in batch {
            picked.extend_from_slice(&pixels[image as usize * size..][..size]);
        }
        self.tensor(dataset, picked)
    }

    fn tensor(&self, dataset: &Dataset, pixels: Vec<f32>) -> Tensor<4> {
        let ImageSize { height, width } = dataset.size;
        let count = pixels.len() / (height * width * dataset.channels);
        let shape = [count, height, width, dataset.channels];
        let pixels = backend::tensor(pixels, shape, &self.backend.device);
        if self.backend.compute.has_kernels() { pixels } else { pixels.permute([0, 3, 1, 2]) }
    }

    /// The logits of a batch in training mode. `noise` is for dropout.
    pub fn forward(
        &self,
        images: Tensor<4>,
        noise: &mut Noise,
        observer: &mut dyn Observer,
    ) -> Passed {
        let mut moved = Vec::new();
        let mode = if self.inference_mode {
            Mode::Inference
        } else {
            Mode::Training { noise, moved: &mut moved }
        };
        let tracked = |index: usize| self.variables[index].value.clone();
        let logits = self.run(self.as_run(), images, tracked, mode, observer);
        Passed { logits, moved }
    }

    /// Sets the moving averages to their values after a forward pass.
    pub fn move_averages(&mut self, passed: Passed) {
        for (index, value) in passed.moved {
            self.variables[index].value = value;
        }
    }

    /// The logits in inference mode, without a record for a backward pass.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        self.run(self.as_run(), images.inner(), self.untracked(), Mode::Inference, &mut ())
    }

    /// The same layer by layer: the observer sees the output of every layer, and for a layer with an activation the output before
    /// the activation as well.
    pub fn infer_by_layer(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<2> {
        self.run(&self.steps, images.inner(), self.untracked(), Mode::Inference, observer)
    }

    /// The same with a record for a backward pass.
    pub fn infer_tracked(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<2> {
        let tracked = |index: usize| self.variables[index].value.clone();
        self.run(&self.steps, images, tracked, Mode::Inference, observer)
    }

    fn as_run(&self) -> &[Step] {
        if self.backend.compute.has_kernels() { &self.fused } else { &self.steps }
    }

    fn untracked(&self) -> impl Fn(usize) -> Tensor<1> {
        |index| self.variables[index].value.clone().inner()
    }

    fn run(
        &self,
        steps: &[Step],
        images: Tensor<4>,
        value: impl Fn(usize) -> Tensor<1>,
        mut mode: Mode,
        observer: &mut dyn Observer,
    ) -> Tensor<2> {
        let mut features = match self.backend.compute {
            Compute::Kernels(_) => Features::Pixels(images),
            #[cfg(feature = "plain")]
            Compute::Burn => Features::Planes(images),
        };
        let mut saved = None;
        // The observer sees a ReLU before a max-pool after the pool, where the output is smaller and shows the same active units.
        let mut relu = None;
        for (number, Step { place, layer, relu_of }) in steps.iter().enumerate() {
            features = match &self.backend.compute {
                Compute::Kernels(buffers) if layer.has_kernel() => {
                    self.apply_fast(*place, layer, features, &value, buffers, &mut mode)
                }
                #[cfg(feature = "plain")]
                Compute::Burn if layer.has_kernel() => {
                    self.apply_plain(*place, layer, features, &value, &mut mode)
                }
                _ => self.apply_common(layer, features, &value, &mut saved),
            };
            let next = steps.get(number + 1);
            relu = match layer {
                Layer::MaxPool(_) => relu_of.or(relu),
                _ => *relu_of,
            };
            let pooled_next = next.is_some_and(|next| matches!(next.layer, Layer::MaxPool(_)));
            let seen = Seen {
                layer: *place,
                is_complete: next.is_none_or(|next| next.place != *place),
                relu: if pooled_next { None } else { relu },
            };
            features = observer.output(seen, features);
        }
        features.rows()
    }

    fn shape<const D: usize>(&self, variable: usize) -> [usize; D] {
        let shape = &self.variables[variable].shape;
        shape.as_slice().try_into().expect("a variable keeps its rank")
    }

    /// The variables that an optimizer changes.
    pub fn trainable(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|variable| variable.trainable)
    }

    /// Takes out the gradient of each trainable variable, in the variables' order.
    pub fn take_gradients(&self, gradients: &mut Gradients) -> Vec<Tensor<1>> {
        self.trainable()
            .map(|variable| {
                let gradient = variable.value.grad_remove(gradients);
                gradient.unwrap_or_else(|| variable.value.clone().inner().zeros_like())
            })
            .collect()
    }
}

/// Indices as a tensor, for selecting the labels' columns.
#[cfg(feature = "plain")]
pub fn index_tensor(indices: &[u32], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i64> = indices.iter().map(|&index| i64::from(index)).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}
