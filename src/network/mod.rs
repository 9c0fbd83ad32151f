//! The CNN, built from a [`NetworkConfig`](crate::experiment::NetworkConfig): its variables and its forward pass.
//!
//! Variables keep Keras' layouts: kernels HWIO, dense kernels input by output, rows flattened in NHWC order. So weights,
//! fixtures and exports need no reordering. How the layers are computed is one of two files: `fast` with the crate's own
//! kernels, `plain` with Burn's operations, which are the reference that the kernels are tested against.

mod fast;
mod plain;

use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use rand::RngExt;

use crate::backend::{Backend, without_kernels};
use crate::dataset::Dataset;
use crate::experiment::{Activation, Experiment, InvalidField, LayerConfig, Padding, layer_shapes};
use crate::seeding::{Purpose, stream};

/// One trainable tensor, kept flat: an optimizer treats them all alike.
#[derive(Clone, Debug)]
pub struct Variable {
    /// As Keras numbers them: `conv2d_0/kernel`, `dense_1/bias`.
    pub name: String,
    pub shape: Vec<usize>,
    /// Tracked by autodiff; `[product of shape]`.
    pub value: Tensor<1>,
}

impl Variable {
    /// The numbers, in the order of `shape`.
    pub fn values(&self) -> Vec<f32> {
        floats(self.value.clone().inner().into_data())
    }
}

/// A layer with what it needs to run: the indices of its variables.
#[derive(Clone, Debug)]
enum Layer {
    Conv2d {
        kernel: usize,
        bias: Option<usize>,
        /// Zeros before and after, the same for rows and columns.
        padding: [usize; 2],
        /// What a fast backend does in the same breath; nothing in a list of single layers.
        relu: bool,
        pool: usize,
    },
    MaxPool {
        pool: usize,
    },
    Flatten,
    Dense {
        kernel: usize,
        bias: Option<usize>,
        relu: bool,
    },
    Relu,
}

/// The network with its weights.
#[derive(Clone, Debug)]
pub struct Network {
    /// Each with its place in the configuration's list.
    layers: Vec<(usize, Layer)>,
    /// The same as a fast backend runs them.
    fused: Vec<(usize, Layer)>,
    pub variables: Vec<Variable>,
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

impl Network {
    /// Glorot-uniform kernels and zero biases, drawn from the experiment's seed.
    pub fn new(experiment: &Experiment, backend: &Backend) -> Result<Self, InvalidField> {
        let seed = experiment.seed;
        Self::with_weights(experiment, backend, |layer, _, shape| {
            let mut generator = stream(seed, Purpose::Weights { layer });
            let limit = glorot_limit(shape);
            let size = shape.iter().product();
            (0..size).map(|_| (2.0 * generator.random::<f32>() - 1.0) * limit).collect()
        })
    }

    /// The same with kernels from `kernel(layer, nth kernel, shape)`; biases are zero.
    pub fn with_weights(
        experiment: &Experiment,
        backend: &Backend,
        mut kernel: impl FnMut(usize, usize, &[usize]) -> Vec<f32>,
    ) -> Result<Self, InvalidField> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
        let mut network = Self {
            layers: Vec::new(),
            fused: Vec::new(),
            variables: Vec::new(),
            backend: backend.clone(),
        };
        let (mut kernels, mut convolutions, mut denses) = (0, 0, 0);
        for (index, (config, shape)) in experiment.network.layers.iter().zip(&shapes).enumerate() {
            match *config {
                LayerConfig::Conv2d { filters, kernel: size, padding, use_bias, .. } => {
                    let (size, filters) = (size as usize, filters as usize);
                    let shape = [size, size, shape.input.units(), filters];
                    let values = kernel(index, kernels, &shape);
                    let name = format!("conv2d_{convolutions}");
                    let (kernel, bias) = network.weights(&name, &shape, values, use_bias);
                    let padding = match padding {
                        Padding::Valid => [0, 0],
                        Padding::Same => [(size - 1) / 2, size / 2],
                    };
                    let layer = Layer::Conv2d { kernel, bias, padding, relu: false, pool: 1 };
                    network.layers.push((index, layer));
                    (kernels, convolutions) = (kernels + 1, convolutions + 1);
                }
                LayerConfig::MaxPool { pool } => {
                    network.layers.push((index, Layer::MaxPool { pool: pool as usize }));
                }
                LayerConfig::Flatten {} => network.layers.push((index, Layer::Flatten)),
                LayerConfig::Dense { units, use_bias, .. } => {
                    let shape = [shape.input.size(), units as usize];
                    let values = kernel(index, kernels, &shape);
                    let name = format!("dense_{denses}");
                    let (kernel, bias) = network.weights(&name, &shape, values, use_bias);
                    network.layers.push((index, Layer::Dense { kernel, bias, relu: false }));
                    (kernels, denses) = (kernels + 1, denses + 1);
                }
                LayerConfig::Activation { .. } => {}
            }
            // The head's softmax is part of the loss, which starts from the logits.
            if config.activation() == Some(Activation::Relu) {
                network.layers.push((index, Layer::Relu));
            }
        }
        network.fused = fast::fused(&network.layers);
        Ok(network)
    }

    /// A kernel and, where wanted, a zero bias for its last axis.
    fn weights(
        &mut self,
        layer: &str,
        shape: &[usize],
        values: Vec<f32>,
        use_bias: bool,
    ) -> (usize, Option<usize>) {
        let kernel = self.variable(format!("{layer}/kernel"), shape, values);
        let units = shape[shape.len() - 1];
        let bias =
            use_bias.then(|| self.variable(format!("{layer}/bias"), &[units], vec![0.0; units]));
        (kernel, bias)
    }

    fn variable(&mut self, name: String, shape: &[usize], values: Vec<f32>) -> usize {
        let data = TensorData::new(values, [shape.iter().product::<usize>()]);
        self.variables.push(Variable {
            name,
            shape: shape.to_vec(),
            value: Tensor::from_data(data, &self.backend.device).require_grad(),
        });
        self.variables.len() - 1
    }

    /// All images of a dataset, in the order of axes that this network takes.
    pub fn images(&self, dataset: &Dataset) -> Tensor<4> {
        let (count, side, channels) = (dataset.len(), dataset.side, dataset.channels);
        let data = TensorData::new(dataset.images.clone(), [count, side, side, channels]);
        let pixels = Tensor::from_data(data, &self.backend.device);
        if self.is_fast() { pixels } else { pixels.permute([0, 3, 1, 2]) }
    }

    /// The logits `[images, classes]` of [`Network::images`] or some of them, tracked by autodiff. `watch` sees what each
    /// ReLU layer passes on, in their order: its output, or that of the max-pool right behind it.
    pub fn forward(&self, images: Tensor<4>, watch: &mut dyn FnMut(&Features)) -> Tensor<2> {
        let layers = self.as_run();
        let mut passed_relu = false;
        self.run(
            layers,
            images,
            |index| self.variables[index].value.clone(),
            |place, output| {
                let (_, layer) = &layers[place];
                passed_relu = match layer {
                    Layer::Conv2d { relu, .. } | Layer::Dense { relu, .. } => *relu,
                    Layer::Relu => true,
                    Layer::MaxPool { .. } => passed_relu,
                    Layer::Flatten => false,
                };
                let pooled_next = matches!(layers.get(place + 1), Some((_, Layer::MaxPool { .. })));
                if passed_relu && !pooled_next {
                    watch(output);
                    passed_relu = false;
                }
            },
        )
    }

    /// The logits without recording anything for a backward pass.
    pub fn infer(&self, images: Tensor<4>) -> Tensor<2> {
        self.run(self.as_run(), images.inner(), self.untracked(), |_, _| {})
    }

    /// The same layer by layer: `observe` sees the place in the configuration's list and the output of each, and of one with an
    /// activation both what is before the activation and what is behind it.
    pub fn activations(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(usize, &Features),
    ) -> Tensor<2> {
        self.run(&self.layers, images.inner(), self.untracked(), |place, output| {
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
        mut observe: impl FnMut(usize, &Features),
    ) -> Tensor<2> {
        let mut features = match self.backend.buffers {
            Some(_) => Features::Pixels(images),
            None => Features::Planes(images),
        };
        for (place, (_, layer)) in layers.iter().enumerate() {
            features = match &self.backend.buffers {
                Some(buffers) => self.apply_fast(layer, features, &value, buffers),
                None => {
                    without_kernels();
                    self.apply_plain(layer, features, &value)
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

    /// Takes each variable's gradient, in the order of [`Network::variables`].
    pub fn take_gradients(&self, gradients: &mut Gradients) -> Vec<Tensor<1>> {
        self.variables
            .iter()
            .map(|variable| {
                let gradient = variable.value.grad_remove(gradients);
                gradient.unwrap_or_else(|| variable.value.clone().inner().zeros_like())
            })
            .collect()
    }
}

impl Features {
    fn rows(self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows,
            _ => unreachable!("layer_shapes refuses this layer on images"),
        }
    }

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

/// Glorot and Bengio's bound sqrt(6 / (fan_in + fan_out)), where a fan counts the window of a convolution too.
pub fn glorot_limit(shape: &[usize]) -> f32 {
    let (window, fans) = shape.split_at(shape.len() - 2);
    let window: usize = window.iter().product();
    (6.0 / (window * (fans[0] + fans[1])) as f64).sqrt() as f32
}

/// Indices as a tensor, for picking a batch or the labels' columns.
pub fn index_tensor(indices: &[u32], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i64> = indices.iter().map(|&index| i64::from(index)).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}

/// The numbers of a tensor that was read back.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("every tensor here holds f32")
}
