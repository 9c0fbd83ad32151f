//! The CNN, built from a [`NetworkConfig`](crate::experiment::NetworkConfig): its variables and its forward pass.
//!
//! Variables keep Keras' layouts: kernels HWIO, dense kernels input by output, rows flattened in NHWC order. So weights,
//! fixtures and exports need no reordering. Burn's own convolution wants channels first, which is how activations lie
//! between the first layer and `flatten`; nothing outside this file sees that.

use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use rand::RngExt;

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
        padding: (usize, usize),
    },
    MaxPool {
        pool: usize,
    },
    Flatten,
    Dense {
        kernel: usize,
        bias: Option<usize>,
    },
    Relu,
}

/// The network with its weights.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<(usize, Layer)>,
    pub variables: Vec<Variable>,
}

/// What flows between layers.
#[derive(Clone, Debug)]
pub enum Features {
    /// `[images, channels, height, width]`.
    Maps(Tensor<4>),
    /// `[images, units]`.
    Rows(Tensor<2>),
}

/// Called with the index in the configuration's list and the output of each operation.
/// A layer with an activation calls twice: before the activation and after it.
pub type Observer<'a> = &'a mut dyn FnMut(usize, Stage, &Features);

/// Which output of a layer an [`Observer`] sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The layer itself, without its activation.
    Linear,
    Relu,
}

impl Network {
    /// Glorot-uniform kernels and zero biases, drawn from the experiment's seed.
    pub fn new(experiment: &Experiment, device: &Device) -> Result<Self, InvalidField> {
        let seed = experiment.seed;
        Self::with_weights(experiment, device, |layer, _, shape| {
            let mut generator = stream(seed, Purpose::Weights { layer });
            let limit = glorot_limit(shape);
            let size = shape.iter().product();
            (0..size).map(|_| (2.0 * generator.random::<f32>() - 1.0) * limit).collect()
        })
    }

    /// The same with kernels from `kernel(layer, nth kernel, shape)`; biases are zero.
    pub fn with_weights(
        experiment: &Experiment,
        device: &Device,
        mut kernel: impl FnMut(usize, usize, &[usize]) -> Vec<f32>,
    ) -> Result<Self, InvalidField> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
        let mut builder =
            Builder { network: Self { layers: Vec::new(), variables: Vec::new() }, device };
        let (mut kernels, mut convolutions, mut denses) = (0, 0, 0);
        for (index, (config, shape)) in experiment.network.layers.iter().zip(&shapes).enumerate() {
            match *config {
                LayerConfig::Conv2d { filters, kernel: size, padding, use_bias, .. } => {
                    let (size, filters) = (size as usize, filters as usize);
                    let shape = [size, size, shape.input.units(), filters];
                    let values = kernel(index, kernels, &shape);
                    let name = format!("conv2d_{convolutions}");
                    let (kernel, bias) = builder.weights(&name, &shape, values, use_bias);
                    let padding = match padding {
                        Padding::Valid => (0, 0),
                        Padding::Same => ((size - 1) / 2, size / 2),
                    };
                    builder.push(index, Layer::Conv2d { kernel, bias, padding });
                    (kernels, convolutions) = (kernels + 1, convolutions + 1);
                }
                LayerConfig::MaxPool { pool } => {
                    builder.push(index, Layer::MaxPool { pool: pool as usize });
                }
                LayerConfig::Flatten {} => builder.push(index, Layer::Flatten),
                LayerConfig::Dense { units, use_bias, .. } => {
                    let shape = [shape.input.size(), units as usize];
                    let values = kernel(index, kernels, &shape);
                    let name = format!("dense_{denses}");
                    let (kernel, bias) = builder.weights(&name, &shape, values, use_bias);
                    builder.push(index, Layer::Dense { kernel, bias });
                    (kernels, denses) = (kernels + 1, denses + 1);
                }
                LayerConfig::Activation { .. } => {}
            }
            // The head's softmax is part of the loss, which starts from the logits.
            if config.activation() == Some(Activation::Relu) {
                builder.push(index, Layer::Relu);
            }
        }
        Ok(builder.network)
    }

    /// The logits `[images, classes]` of images `[images, channels, height, width]`, tracked by autodiff.
    pub fn forward(&self, images: Tensor<4>, observe: Observer) -> Tensor<2> {
        self.run(images, |index| self.variables[index].value.clone(), observe)
    }

    /// The same without recording anything for a backward pass.
    pub fn infer(&self, images: Tensor<4>, observe: Observer) -> Tensor<2> {
        let value = |index: usize| self.variables[index].value.clone().inner();
        self.run(images.inner(), value, observe)
    }

    fn run(
        &self,
        images: Tensor<4>,
        value: impl Fn(usize) -> Tensor<1>,
        observe: Observer,
    ) -> Tensor<2> {
        let mut features = Features::Maps(images);
        for (index, layer) in &self.layers {
            features = self.apply(layer, features, &value);
            let stage = if matches!(layer, Layer::Relu) { Stage::Relu } else { Stage::Linear };
            observe(*index, stage, &features);
        }
        features.rows()
    }

    fn apply(
        &self,
        layer: &Layer,
        input: Features,
        value: &impl Fn(usize) -> Tensor<1>,
    ) -> Features {
        match *layer {
            Layer::Conv2d { kernel, bias, padding } => {
                let shape: [usize; 4] = self.shape(kernel);
                // HWIO -> OIHW
                let weight = value(kernel).reshape(shape).permute([3, 2, 0, 1]);
                let options = ConvOptions::new_with_padding([1, 1], [padding; 2], [1, 1], 1);
                Features::Maps(conv2d(input.maps(), weight, bias.map(value), options))
            }
            Layer::MaxPool { pool } => {
                Features::Maps(max_pool2d(input.maps(), MaxPoolOptions::new([pool, pool])))
            }
            Layer::Flatten => {
                let maps = input.maps();
                let [images, channels, height, width] = maps.dims();
                // NCHW -> NHWC: Keras' order, in which the dense kernel's rows lie.
                let rows = maps.permute([0, 2, 3, 1]);
                Features::Rows(rows.reshape([images, height * width * channels]))
            }
            Layer::Dense { kernel, bias } => {
                let shape: [usize; 2] = self.shape(kernel);
                let product = input.rows().matmul(value(kernel).reshape(shape));
                Features::Rows(match bias {
                    Some(bias) => product + value(bias).unsqueeze(),
                    None => product,
                })
            }
            Layer::Relu => match input {
                Features::Maps(maps) => Features::Maps(relu(maps)),
                Features::Rows(rows) => Features::Rows(relu(rows)),
            },
        }
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
    fn maps(self) -> Tensor<4> {
        match self {
            Self::Maps(maps) => maps,
            Self::Rows(_) => unreachable!("layer_shapes refuses this layer on rows"),
        }
    }

    fn rows(self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows,
            Self::Maps(_) => unreachable!("layer_shapes refuses this layer on maps"),
        }
    }

    /// The numbers in Keras' order, NHWC, with their shape.
    pub fn to_nhwc(&self) -> (Vec<usize>, Vec<f32>) {
        match self.clone() {
            Self::Maps(maps) => {
                let maps = maps.inner().permute([0, 2, 3, 1]);
                (maps.dims().to_vec(), floats(maps.into_data()))
            }
            Self::Rows(rows) => {
                let rows = rows.inner();
                (rows.dims().to_vec(), floats(rows.into_data()))
            }
        }
    }
}

/// Adds layers and variables while a network is built.
struct Builder<'a> {
    network: Network,
    device: &'a Device,
}

impl Builder<'_> {
    fn push(&mut self, index: usize, layer: Layer) {
        self.network.layers.push((index, layer));
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
        self.network.variables.push(Variable {
            name,
            shape: shape.to_vec(),
            value: Tensor::from_data(data, self.device).require_grad(),
        });
        self.network.variables.len() - 1
    }
}

/// Glorot and Bengio's bound sqrt(6 / (fan_in + fan_out)), where a fan counts the window of a convolution too.
pub fn glorot_limit(shape: &[usize]) -> f32 {
    let (window, fans) = shape.split_at(shape.len() - 2);
    let window: usize = window.iter().product();
    (6.0 / (window * (fans[0] + fans[1])) as f64).sqrt() as f32
}

/// The images as the network takes them: NHWC numbers to `[images, channels, height, width]`.
pub fn image_tensor(dataset: &Dataset, device: &Device) -> Tensor<4> {
    let (count, side, channels) = (dataset.len(), dataset.side, dataset.channels);
    let plane = side * side;
    let mut planes = vec![0.0; dataset.images.len()];
    for (pixel, values) in dataset.images.chunks_exact(channels).enumerate() {
        let (image, place) = (pixel / plane, pixel % plane);
        for (channel, &value) in values.iter().enumerate() {
            planes[(image * channels + channel) * plane + place] = value;
        }
    }
    let data = TensorData::new(planes, [count, channels, side, side]);
    Tensor::from_data(data, device)
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
