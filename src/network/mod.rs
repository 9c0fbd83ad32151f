//! The CNN, built from a [`NetworkConfig`](crate::experiment::NetworkConfig): its variables and its forward pass.
//!
//! Variables keep Keras' layouts: kernels HWIO, dense kernels input by output, rows flattened in NHWC order. So weights,
//! fixtures and exports need no reordering. `build` makes a network of its configuration. Convolutions and dense layers are
//! computed by one of two files: `fast` with the crate's own kernels, `plain` with Burn's operations, which are the reference that
//! the kernels are tested against. All other layers are Burn's operations, `common`, but for those that `fast` computes, too.

mod build;
mod common;
mod fast;
pub mod initializer;
mod plain;
mod softmax;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};

use crate::backend::{Backend, without_kernels};
use crate::dataset::Dataset;
use crate::experiment::{Activation, Head, Window};

pub use build::Wanted;
pub use softmax::{log_softmax, softmax};

/// One tensor of a layer, kept flat: an optimizer treats them all alike.
#[derive(Clone, Debug)]
pub struct Variable {
    /// As Keras numbers them: `conv2d_0/kernel`, `dense_1/bias`.
    pub name: String,
    pub shape: Vec<usize>,
    /// `[product of shape]`, tracked by autodiff unless it is a moving average.
    pub value: Tensor<1>,
    /// Whether an optimizer changes it: not where its layer is frozen, and the moving averages of a batch normalisation are no
    /// business of one.
    pub trainable: bool,
}

impl Variable {
    /// The numbers, in the order of `shape`.
    pub fn values(&self) -> Vec<f32> {
        floats(self.value.clone().inner().into_data())
    }

    /// Whether it is a layer's kernel.
    pub fn is_kernel(&self) -> bool {
        self.name.ends_with("/kernel")
    }

    /// Whether it is a layer's bias.
    pub fn is_bias(&self) -> bool {
        self.name.ends_with("/bias")
    }
}

/// A layer with what it needs to run: the indices of its variables.
#[derive(Clone, Debug)]
enum Layer {
    Conv2d {
        kernel: usize,
        bias: Option<usize>,
        strides: usize,
        /// Zeros before and after, the same for rows and columns.
        padding: [usize; 2],
        /// What a fast backend does in the same breath; nothing in a list of single layers.
        relu: bool,
        pool: usize,
    },
    LocallyConnected {
        kernel: usize,
        bias: Option<usize>,
        relu: bool,
    },
    MaxPool(Window),
    AveragePool(Window),
    GlobalMaxPool,
    GlobalAveragePool,
    Flatten,
    Dense {
        kernel: usize,
        bias: Option<usize>,
        relu: bool,
    },
    BatchNorm {
        /// Gamma, beta, moving mean and moving variance, one behind the other.
        first: usize,
        /// Keras' `trainable=False` means inference, too.
        frozen: bool,
        momentum: f64,
        epsilon: f64,
        relu: bool,
    },
    NormOfUnits {
        /// Gamma and beta.
        first: usize,
        epsilon: f64,
    },
    Dropout {
        rate: f64,
    },
    Save,
    AddSaved,
    Relu,
    LeakyRelu {
        negative_slope: f64,
    },
    Elu,
    Gelu,
    Silu,
    Tanh,
    Sigmoid,
    Softmax,
    Reshape,
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
    /// Each with its place in the configuration's list.
    layers: Vec<(usize, Layer)>,
    /// The same as a fast backend runs them.
    fused: Vec<(usize, Layer)>,
    /// No part of the layers: what they put out are scores.
    pub head: Head,
    pub variables: Vec<Variable>,
    /// Whether training, too, runs it as inference does.
    inference_mode: bool,
    backend: Backend,
}

/// What flows between layers.
#[derive(Clone, Debug)]
pub enum Features {
    /// `[images, channels, height, width]`, as Burn's own operations want it.
    Planes(Tensor<4>),
    /// `[images, height, width, channels]`, as the kernels want it.
    Pixels(Tensor<4>),
    /// `[images, units]`.
    Rows(Tensor<2>),
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
        let (side, channels) = (dataset.side, dataset.channels);
        let count = pixels.len() / (side * side * channels);
        let data = TensorData::new(pixels, [count, side, side, channels]);
        let pixels = Tensor::from_data(data, &self.backend.device);
        if self.is_fast() { pixels } else { pixels.permute([0, 3, 1, 2]) }
    }

    /// The scores of [`Network::images`] or some of them in training. `noise` is for dropout. `watch` sees what each ReLU layer
    /// passes on, in their order: its output, or that of the max-pool right behind it.
    pub fn forward(
        &self,
        images: Tensor<4>,
        noise: &mut Noise,
        watch: &mut dyn FnMut(&Features),
    ) -> Passed {
        let layers = self.as_run();
        let mut passed_relu = false;
        let mut moved = Vec::new();
        let scores = self.run(
            layers,
            images,
            |index| self.variables[index].value.clone(),
            if self.inference_mode {
                Mode::Inference
            } else {
                Mode::Training { noise, moved: &mut moved }
            },
            |place, output| {
                let (_, layer) = &layers[place];
                passed_relu = match layer {
                    Layer::Conv2d { relu, .. }
                    | Layer::LocallyConnected { relu, .. }
                    | Layer::Dense { relu, .. }
                    | Layer::BatchNorm { relu, .. } => *relu,
                    Layer::Relu => true,
                    Layer::MaxPool(_) => passed_relu,
                    _ => false,
                };
                let pooled_next = matches!(layers.get(place + 1), Some((_, Layer::MaxPool(_))));
                if passed_relu && !pooled_next {
                    watch(output);
                    passed_relu = false;
                }
            },
        );
        Passed { scores, moved }
    }

    /// Lets the moving averages take in what a pass saw of them.
    pub fn move_averages(&mut self, passed: Passed) {
        for (index, value) in passed.moved {
            self.variables[index].value = value;
        }
    }

    /// The scores in inference, without recording anything for a backward pass.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        self.run(self.as_run(), images.inner(), self.untracked(), Mode::Inference, |_, _| {})
    }

    /// The same layer by layer: `observe` sees the place in the configuration's list and the output of each, and of one with an
    /// activation both what is before the activation and what is behind it.
    pub fn activations(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(usize, &Features),
    ) -> Tensor<2> {
        let untracked = self.untracked();
        self.run(&self.layers, images.inner(), untracked, Mode::Inference, |place, output| {
            observe(self.layers[place].0, output);
        })
    }

    fn is_fast(&self) -> bool {
        self.backend.buffers.is_some()
    }

    fn as_run(&self) -> &[(usize, Layer)] {
        if self.is_fast() { &self.fused } else { &self.layers }
    }

    fn untracked(&self) -> impl Fn(usize) -> Tensor<1> {
        |index| self.variables[index].value.clone().inner()
    }

    fn run(
        &self,
        layers: &[(usize, Layer)],
        images: Tensor<4>,
        value: impl Fn(usize) -> Tensor<1>,
        mut mode: Mode,
        mut observe: impl FnMut(usize, &Features),
    ) -> Tensor<2> {
        let mut features = match self.backend.buffers {
            Some(_) => Features::Pixels(images),
            None => Features::Planes(images),
        };
        let mut saved = None;
        for (place, (index, layer)) in layers.iter().enumerate() {
            features = match (layer, &self.backend.buffers) {
                (layer, Some(buffers)) if fast::computes(layer) => {
                    self.apply_fast((*index, layer), features, &value, buffers, &mut mode)
                }
                (Layer::Conv2d { .. } | Layer::Dense { .. }, _) => {
                    without_kernels();
                    self.apply_plain(layer, features, &value)
                }
                (layer, _) => {
                    self.apply_common((*index, layer), features, &value, &mut saved, &mut mode)
                }
            };
            observe(place, &features);
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

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu => Self::LeakyRelu { negative_slope: Activation::LEAKY_SLOPE },
            Activation::Elu => Self::Elu,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Softmax => Self::Softmax,
        }
    }
}

impl Features {
    /// The numbers in Keras' order, NHWC, with their shape.
    pub fn to_nhwc(&self) -> (Vec<usize>, Vec<f32>) {
        let pixels = match self.clone() {
            Self::Planes(planes) => planes.inner().permute([0, 2, 3, 1]),
            Self::Pixels(pixels) => pixels.inner(),
            Self::Rows(rows) => {
                let rows = rows.inner();
                return (rows.dims().to_vec(), floats(rows.into_data()));
            }
        };
        (pixels.dims().to_vec(), floats(pixels.into_data()))
    }
}

/// Indices as a tensor, for picking the labels' columns.
pub fn index_tensor(indices: &[u32], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i64> = indices.iter().map(|&index| i64::from(index)).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}

/// The numbers of a tensor that was read back.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("every tensor here holds f32")
}
