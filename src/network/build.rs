//! A network from its configuration: what each layer's variables are, and what they start from.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;

use super::{Head, Layer, Network, Variable, fast, initializer};
use crate::backend::Backend;
use crate::experiment::{
    Activation, Experiment, InitializerConfig, InvalidField, LayerConfig, LayerShape, Shape,
    Window, layer_shapes,
};
use crate::seeding::{Purpose, stream};

impl Network {
    /// Kernels as the experiment's initialiser draws them from its seed.
    pub fn new(experiment: &Experiment, backend: &Backend) -> Result<Self, InvalidField> {
        let config = &experiment.network.initializer;
        Self::with_weights(experiment, backend, |layer, _, window, count| {
            let mut generator = stream(experiment.seed, Purpose::Weights { layer });
            initializer::kernel(&config.kernel, window, count, || generator.random())
        })
    }

    /// The same with kernels from `kernel(layer, nth kernel, window, count)`: so many numbers for windows of that shape, more
    /// than one window's where each place has weights of its own. The initialiser's factor is still to come.
    pub fn with_weights(
        experiment: &Experiment,
        backend: &Backend,
        kernel: impl FnMut(usize, usize, &[usize], usize) -> Vec<f32>,
    ) -> Result<Self, InvalidField> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
        let initializer = &experiment.network.initializer;
        let (names, variables) = (Vec::new(), Vec::new());
        let training_loop = &experiment.training.training_loop;
        let mut builder =
            Builder { backend, initializer, kernel, kernels: 0, names, variables, frozen: false };
        let mut layers = Vec::new();
        for (index, (config, shape)) in experiment.network.layers.iter().zip(&shapes).enumerate() {
            builder.frozen = training_loop.frozen.contains(&(index as u32));
            layers.extend(builder.layer(index, config, *shape).map(|layer| (index, layer)));
            layers.extend(config.activation().map(|kind| (index, kind.into())));
        }
        let last = experiment.network.layers.last().and_then(LayerConfig::activation);
        let head = match last {
            Some(Activation::Softmax) => Head::Softmax,
            Some(Activation::Sigmoid) => Head::Sigmoid,
            _ => Head::Open,
        };
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

struct Builder<'a, F> {
    backend: &'a Backend,
    initializer: &'a InitializerConfig,
    kernel: F,
    /// Kernels so far.
    kernels: usize,
    /// The kinds of layers with variables so far.
    names: Vec<&'static str>,
    variables: Vec<Variable>,
    /// Whether the layer under way is.
    frozen: bool,
}

impl<F: FnMut(usize, usize, &[usize], usize) -> Vec<f32>> Builder<'_, F> {
    /// A layer without its activation, where there is something left of it.
    fn layer(&mut self, index: usize, config: &LayerConfig, shape: LayerShape) -> Option<Layer> {
        let channels = shape.input.units();
        Some(match *config {
            LayerConfig::Conv2d { filters, kernel: size, strides, padding, use_bias, .. } => {
                let filters = filters as usize;
                let name = self.name("conv2d");
                let kernel_shape = [size as usize, size as usize, channels, filters];
                let kernel = self.kernel(index, &name, &kernel_shape, &kernel_shape);
                let bias = self.bias(&name, &[filters], use_bias);
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
                let kernel = self.kernel(index, &name, &all, &place);
                let bias = self.bias(&name, &[height, width, filters], use_bias);
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
                let kernel = self.kernel(index, &name, &kernel_shape, &kernel_shape);
                let bias = self.bias(&name, &[units], use_bias);
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

    /// A kernel of the shape `all`, whose fans are those of `window`.
    fn kernel(&mut self, layer: usize, name: &str, all: &[usize], window: &[usize]) -> usize {
        let count: usize = all.iter().product();
        let mut values = (self.kernel)(layer, self.kernels, window, count);
        for value in &mut values {
            *value *= self.initializer.factor as f32;
        }
        self.kernels += 1;
        self.variable(format!("{name}/kernel"), all, values, true)
    }

    fn bias(&mut self, name: &str, shape: &[usize], use_bias: bool) -> Option<usize> {
        let values = || vec![self.initializer.bias as f32; shape.iter().product()];
        use_bias.then(|| self.variable(format!("{name}/bias"), shape, values(), true))
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

/// Images are squares at every depth.
fn side(input: Shape) -> usize {
    match input {
        Shape::Image([height, _, _]) => height,
        Shape::Flat(_) => unreachable!("layer_shapes refuses this layer on rows"),
    }
}
