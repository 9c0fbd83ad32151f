//! The CNN, built from a [`NetworkConfig`](crate::experiment::NetworkConfig): its variables and its forward pass.
//!
//! Variables keep Keras' layouts: kernels HWIO, dense kernels input by output, rows flattened in NHWC order. So weights,
//! fixtures and exports need no reordering. `layers` knows every layer: its variables, which `build` makes, and what it computes.
//! Layers with kernels of their own are computed by one of two files: `fast` with the crate's kernels, `plain` with Burn's
//! operations, which are the reference that the kernels are tested against.

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
use burn::tensor::{Device, Int};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::backend::{Backend, Compute};
use crate::dataset::{Dataset, ImageSize};
use crate::experiment::Head;

pub use build::Wanted;
pub use features::Features;
use layers::Layer;
pub use softmax::{log_softmax, softmax};

/// What a variable is to its layer.
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
    /// Whether gradients change the variable; a normalisation's moving averages follow the batches instead.
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

/// One tensor of a layer, kept flat: an optimizer treats all variables alike.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name by which Keras numbers variables: `conv2d_0/kernel`, `dense_1/bias`.
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
    /// `[product of shape]`, tracked by autodiff unless it is a moving average.
    pub value: Tensor<1>,
    /// Whether an optimizer changes the variable: it is trained, and its layer is not frozen.
    pub trainable: bool,
}

impl Variable {
    /// The numbers, in the order of `shape`.
    pub fn values(&self) -> Vec<f32> {
        floats(self.value.clone().inner().into_data())
    }
}

/// A layer as a network runs it.
#[derive(Clone, Debug)]
struct Step {
    /// The place of the layer in the configuration's list.
    place: usize,
    layer: Layer,
    /// The place of the ReLU that this step computes, alone or together with its layer.
    relu_of: Option<usize>,
}

impl Step {
    fn new(place: usize, layer: Layer) -> Self {
        let relu_of = matches!(layer, Layer::Relu).then_some(place);
        Self { place, layer, relu_of }
    }
}

/// Sees what flows through a network.
pub trait Observer {
    /// Takes the output of a layer and returns what flows on, usually the same.
    fn output(&mut self, seen: Seen, output: Features) -> Features;
}

/// Which layer an output is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The place of the layer in the configuration's list.
    pub layer: usize,
    /// Whether nothing of the layer is still to come, such as its activation.
    pub is_complete: bool,
    /// The place of the ReLU whose active units the output shows: the layer's own, or that of the layer before a max-pool.
    pub relu: Option<usize>,
}

/// Looks at nothing.
impl Observer for () {
    fn output(&mut self, _: Seen, output: Features) -> Features {
        output
    }
}

/// What a network with this head puts out.
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
    /// Every layer and activation by itself.
    steps: Vec<Step>,
    /// The same as the kernels run them.
    fused: Vec<Step>,
    /// The last activation where losses look past it. The steps go without it: they end with the logits.
    pub head: Head,
    pub variables: Vec<Variable>,
    /// Whether training, too, runs it as inference does.
    inference_mode: bool,
    backend: Backend,
}

/// Fills a slice with uniform random numbers in [0, 1) for the layer at a place of the configuration's list.
pub type Noise<'a> = dyn FnMut(usize, &mut [f32]) + 'a;

/// How layers run that differ between training and inference.
enum Mode<'a> {
    Inference,
    Training {
        noise: &'a mut Noise<'a>,
        /// New values of variables that no optimizer changes, by their index.
        moved: &'a mut Vec<(usize, Tensor<1>)>,
    },
}

/// What a step's forward pass leaves.
pub struct Passed {
    /// `[images, units]`: what is before the head's activation, tracked by autodiff.
    pub scores: Tensor<2>,
    /// What the moving averages become; see [`Network::move_averages`].
    moved: Vec<(usize, Tensor<1>)>,
}

impl Network {
    /// All images of a dataset, in the order of axes that this network takes.
    pub fn images(&self, dataset: &Dataset) -> Tensor<4> {
        self.tensor(dataset, dataset.images.clone())
    }

    /// Some images out of all, whose pixels may be other than the dataset's. From plain numbers: picking them out of a tensor would
    /// bring the code of a way back that no image takes.
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
        let data = TensorData::new(pixels, [count, height, width, dataset.channels]);
        let pixels = Tensor::from_data(data, &self.backend.device);
        if self.backend.compute.has_kernels() { pixels } else { pixels.permute([0, 3, 1, 2]) }
    }

    /// The logits of [`Network::images`] or some of them in training. `noise` is for dropout.
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
        let scores = self.run(self.as_run(), images, tracked, mode, observer);
        Passed { scores, moved }
    }

    /// Lets the moving averages take in what a pass saw of them.
    pub fn move_averages(&mut self, passed: Passed) {
        for (index, value) in passed.moved {
            self.variables[index].value = value;
        }
    }

    /// The logits in inference, without recording anything for a backward pass.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        self.run(self.as_run(), images.inner(), self.untracked(), Mode::Inference, &mut ())
    }

    /// The same layer by layer: the observer sees every layer by itself, and of one with an activation both what is before the
    /// activation and what is after it.
    pub fn infer_by_layer(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Tensor<2> {
        self.run(&self.steps, images.inner(), self.untracked(), Mode::Inference, observer)
    }

    /// The same with everything recorded for a backward pass.
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
        // A ReLU before a max-pool is seen after it, where its output is smaller and shows the same.
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

    /// What an optimizer changes.
    pub fn trainable(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(|variable| variable.trainable)
    }

    /// Takes the gradient of each trainable variable, in their order.
    pub fn take_gradients(&self, gradients: &mut Gradients) -> Vec<Tensor<1>> {
        self.trainable()
            .map(|variable| {
                let gradient = variable.value.grad_remove(gradients);
                gradient.unwrap_or_else(|| variable.value.clone().inner().zeros_like())
            })
            .collect()
    }
}

/// Indices as a tensor, for picking the labels' columns.
#[cfg(feature = "plain")]
pub fn index_tensor(indices: &[u32], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i64> = indices.iter().map(|&index| i64::from(index)).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}

/// The numbers of a tensor that was read back.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("every tensor here holds f32")
}
