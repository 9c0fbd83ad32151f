//! A network from its configuration: what each layer's variables are, and what they start from.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;

use super::{Layer, Network, Variable, fast, initializer};
use crate::backend::Backend;
use crate::experiment::{
    Experiment, Head, InitializerConfig, InvalidField, KernelInitializer, LayerConfig, LayerShape,
    Shape, Window, layer_shapes,
};
use crate::seeding::{Purpose, stream};

impl Network {
    /// Kernels as the experiment's initialiser draws them from its seed.
    pub fn new(experiment: &Experiment, backend: &Backend) -> Result<Self, InvalidField> {
        Self::with_weights(experiment, backend, |kernel| {
            let purpose = if kernel.is_bias {
                Purpose::Biases { layer: kernel.layer }
            } else {
                Purpose::Weights { layer: kernel.layer }
            };
            let mut generator = stream(experiment.seed, purpose);
            initializer::kernel(&kernel.initializer, kernel.window, kernel.count, || {
                generator.random()
            })
        })
    }

    /// The same with the numbers that `draw` gives for each kernel, and for each bias that is drawn. The initializer's factor is
    /// applied afterwards.
    pub fn with_weights(
        experiment: &Experiment,
        backend: &Backend,
        draw: impl FnMut(Wanted) -> Vec<f32>,
    ) -> Result<Self, InvalidField> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
        let initializer = &experiment.network.initializer;
        let (names, variables) = (Vec::new(), Vec::new());
        let training_loop = &experiment.training.training_loop;
        let mut builder =
            Builder { backend, initializer, draw, kernels: 0, names, variables, frozen: false };
        let mut layers = Vec::new();
        for (index, (config, shape)) in experiment.network.layers.iter().zip(&shapes).enumerate() {
            builder.frozen = experiment.is_frozen(index);
            layers.extend(builder.layer(index, config, *shape).map(|layer| (index, layer)));
            layers.extend(config.activation().map(|kind| (index, kind.into())));
        }
        let head = Head::of(&experiment.network);
        if head != Head::Open {
            layers.pop();
        }
        Ok(Self {
            head,
            fused: fast::fused(&layers),
            layers,
            variables: builder.variables,
            inference_mode: training_loop.inference_mode,
            backend: backend.clone(),
        })
    }
}

/// A kernel, or a bias that is drawn, whose first numbers are wanted.
pub struct Wanted<'a> {
    /// The place of the layer in the configuration's list.
    pub layer: usize,
    /// How many kernels come before this one.
    pub nth_kernel: usize,
    pub is_bias: bool,
    /// The shape of the window that the fans are counted by: rows and columns if it has any, inputs, outputs.
    pub window: &'a [usize],
    /// How many numbers: more than one window's where each place has weights of its own.
    pub count: usize,
    pub initializer: KernelInitializer,
}

struct Builder<'a, F> {
    backend: &'a Backend,
    initializer: &'a InitializerConfig,
    draw: F,
    /// Kernels so far.
    kernels: usize,
    /// The kinds of layers with variables so far.
    names: Vec<&'static str>,
    variables: Vec<Variable>,
    /// Whether the layer being built is frozen.
    frozen: bool,
}

impl<F: FnMut(Wanted) -> Vec<f32>> Builder<'_, F> {
    /// A layer without its activation; nothing where the layer is an activation alone.
    fn layer(&mut self, index: usize, config: &LayerConfig, shape: LayerShape) -> Option<Layer> {
        let channels = shape.input.units();
        Some(match *config {
            LayerConfig::Conv2d { filters, kernel: size, strides, padding, use_bias, .. } => {
                let filters = filters as usize;
                let name = self.name("conv2d");
                let kernel_shape = [size as usize, size as usize, channels, filters];
                let weights = Weights { index, config, name: &name, window: &kernel_shape };
                let kernel = self.kernel(&weights, &kernel_shape);
                let bias = self.bias(&weights, &[filters], use_bias);
                let window = Window { size, strides, padding };
                let padding = window.padded(side(shape.input));
                let strides = strides as usize;
                Layer::Conv2d { kernel, bias, strides, padding, relu: false, pool: 1 }
            }
            LayerConfig::LocallyConnected { filters, kernel: size, use_bias, .. } => {
                let (size, filters) = (size as usize, filters as usize);
                let name = self.name("locally_connected");
                let Shape::Image([height, width, _]) = shape.output else {
                    unreachable!("layer_shapes gives it an image")
                };
                let place = [size, size, channels, filters];
                let all = [height, width, size * size * channels, filters];
                let weights = Weights { index, config, name: &name, window: &place };
                let kernel = self.kernel(&weights, &all);
                let bias = self.bias(&weights, &[height, width, filters], use_bias);
                Layer::LocallyConnected { kernel, bias, relu: false }
            }
            LayerConfig::MaxPool { pool, strides, padding } => {
                Layer::MaxPool(Window { size: pool, strides, padding })
            }
            LayerConfig::AveragePool { pool, strides, padding } => {
                Layer::AveragePool(Window { size: pool, strides, padding })
            }
            LayerConfig::GlobalMaxPool {} => Layer::GlobalMaxPool,
            LayerConfig::GlobalAveragePool {} => Layer::GlobalAveragePool,
            LayerConfig::Flatten {} => Layer::Flatten,
            LayerConfig::Reshape {} => Layer::Reshape,
            LayerConfig::Dense { units, use_bias, .. } => {
                let units = units as usize;
                let name = self.name("dense");
                let kernel_shape = [shape.input.size(), units];
                let weights = Weights { index, config, name: &name, window: &kernel_shape };
                let kernel = self.kernel(&weights, &kernel_shape);
                let bias = self.bias(&weights, &[units], use_bias);
                Layer::Dense { kernel, bias, relu: false }
            }
            LayerConfig::BatchNorm { momentum, epsilon } => {
                let name = self.name("batch_norm");
                let first = self.scale_and_shift(&name, channels);
                for (what, value) in [("moving_mean", 0.0), ("moving_variance", 1.0)] {
                    self.variable(
                        format!("{name}/{what}"),
                        &[channels],
                        vec![value; channels],
                        false,
                    );
                }
                let frozen = self.frozen;
                Layer::BatchNorm { first, momentum, epsilon, frozen, relu: false }
            }
            LayerConfig::LayerNorm { epsilon } => {
                let name = self.name("layer_norm");
                Layer::NormOfUnits { first: self.scale_and_shift(&name, channels), epsilon }
            }
            LayerConfig::Dropout { rate } => Layer::Dropout { rate },
            LayerConfig::Save {} => Layer::Save,
            LayerConfig::AddSaved {} => Layer::AddSaved,
            LayerConfig::LeakyRelu { negative_slope } => Layer::LeakyRelu { negative_slope },
            LayerConfig::Activation { .. } => return None,
        })
    }

    /// As Keras numbers its layers, each kind from 0.
    fn name(&mut self, kind: &'static str) -> String {
        let before = self.names.iter().filter(|name| **name == kind).count();
        self.names.push(kind);
        format!("{kind}_{before}")
    }

    /// The numbers that a kernel or a drawn bias of `weights` starts from, with the factor.
    fn drawn(&mut self, weights: &Weights, is_bias: bool, count: usize) -> Vec<f32> {
        let initializer = self.initializer_of(weights);
        let mut values = (self.draw)(Wanted {
            layer: weights.index,
            nth_kernel: self.kernels,
            is_bias,
            window: weights.window,
            count,
            initializer,
        });
        for value in &mut values {
            *value *= self.initializer.factor as f32;
        }
        values
    }

    fn initializer_of(&self, weights: &Weights) -> KernelInitializer {
        weights.config.kernel_initializer().unwrap_or(self.initializer.kernel)
    }

    /// A kernel of this shape.
    fn kernel(&mut self, weights: &Weights, shape: &[usize]) -> usize {
        let values = self.drawn(weights, false, shape.iter().product());
        self.kernels += 1;
        self.variable(format!("{}/kernel", weights.name), shape, values, true)
    }

    /// A bias of this shape, where the layer has one; built after the layer's kernel.
    fn bias(&mut self, weights: &Weights, shape: &[usize], use_bias: bool) -> Option<usize> {
        if !use_bias {
            return None;
        }
        let count = shape.iter().product();
        let mut values = vec![self.initializer.bias as f32; count];
        if self.initializer_of(weights).draws_biases() {
            for (value, drawn) in values.iter_mut().zip(self.drawn(weights, true, count)) {
                *value += drawn;
            }
        }
        Some(self.variable(format!("{}/bias", weights.name), shape, values, true))
    }

    /// Gamma and beta; the index of the first.
    fn scale_and_shift(&mut self, name: &str, channels: usize) -> usize {
        let gamma = self.variable(format!("{name}/gamma"), &[channels], vec![1.0; channels], true);
        self.variable(format!("{name}/beta"), &[channels], vec![0.0; channels], true);
        gamma
    }

    fn variable(
        &mut self,
        name: String,
        shape: &[usize],
        values: Vec<f32>,
        tracked: bool,
    ) -> usize {
        let data = TensorData::new(values, [shape.iter().product::<usize>()]);
        let value = Tensor::from_data(data, &self.backend.device);
        let value = if tracked { value.require_grad() } else { value };
        let trainable = tracked && !self.frozen;
        self.variables.push(Variable { name, shape: shape.to_vec(), value, trainable });
        self.variables.len() - 1
    }
}

/// A layer whose kernel and bias are built.
struct Weights<'a> {
    /// The place of the layer in the configuration's list.
    index: usize,
    config: &'a LayerConfig,
    name: &'a str,
    /// The shape of the window that the fans are counted by.
    window: &'a [usize],
}

/// Images are squares at every depth.
fn side(input: Shape) -> usize {
    match input {
        Shape::Image([height, _, _]) => height,
        Shape::Flat(_) => unreachable!("layer_shapes refuses this layer on rows"),
    }
}
