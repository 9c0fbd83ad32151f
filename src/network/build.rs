//! Builds a network from its configuration: the layers' variables and their initial values.

use rand::RngExt;

use super::{Network, Role, Step, Variable, fast, initializer};
use crate::backend::{self, Backend};
use crate::experiment::{
    Experiment, Head, InitializerConfig, InvalidField, KernelInitializer, LayerConfig, layer_shapes,
};
use crate::seeding::{Purpose, stream};

impl Network {
    /// The network with weights that the experiment's initializer draws from the seed.
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

    /// The network with kernels and drawn biases from `draw`, which are then multiplied by the initializer's factor.
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
        let mut steps = Vec::new();
        for (index, (config, shape)) in experiment.network.layers.iter().zip(&shapes).enumerate() {
            builder.frozen = experiment.is_frozen(index);
            steps.extend(builder.layer(index, config, *shape).map(|layer| Step::new(index, layer)));
            steps.extend(config.activation().map(|kind| Step::new(index, kind.into())));
        }
        let head = Head::of(&experiment.network);
        if head != Head::Open {
            steps.pop();
        }
        Ok(Self {
            head,
            fused: fast::fused(&steps),
            steps,
            variables: builder.variables,
            inference_mode: training_loop.inference_mode,
            backend: backend.clone(),
        })
    }
}

/// A request for the initial values of a kernel, or of a bias that is drawn.
pub struct Wanted<'a> {
    /// The layer's index in the configuration's list.
    pub layer: usize,
    /// The number of kernels before this one.
    pub nth_kernel: usize,
    pub is_bias: bool,
    /// The shape that gives the fans: height and width of the kernel if it has any, then inputs and outputs.
    pub window: &'a [usize],
    /// The number of values: more than one window's for a locally connected layer.
    pub count: usize,
    pub initializer: KernelInitializer,
}

pub(super) struct Builder<'a, F> {
    backend: &'a Backend,
    initializer: &'a InitializerConfig,
    draw: F,
    /// The number of kernels so far.
    kernels: usize,
    /// The kind of each layer with variables so far.
    names: Vec<&'static str>,
    variables: Vec<Variable>,
    /// Whether the layer being built is frozen.
    pub(super) frozen: bool,
}

impl<F: FnMut(Wanted) -> Vec<f32>> Builder<'_, F> {
    /// The layer's name, numbered as in Keras, for each kind from 0.
    pub(super) fn name(&mut self, kind: &'static str) -> String {
        let before = self.names.iter().filter(|name| **name == kind).count();
        self.names.push(kind);
        format!("{kind}_{before}")
    }

    /// The initial values of a kernel or a drawn bias, multiplied by the initializer's factor.
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

    /// Makes a kernel of this shape and returns its index.
    pub(super) fn kernel(&mut self, weights: &Weights, shape: &[usize]) -> usize {
        let values = self.drawn(weights, false, shape.iter().product());
        self.kernels += 1;
        self.variable(weights.name, Role::Kernel, shape, values)
    }

    /// Makes a bias of this shape where the layer has one, and returns its index. The layer's kernel has to be made first.
    pub(super) fn bias(
        &mut self,
        weights: &Weights,
        shape: &[usize],
        use_bias: bool,
    ) -> Option<usize> {
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
        Some(self.variable(weights.name, Role::Bias, shape, values))
    }

    /// Makes gamma and beta, and returns the index of gamma.
    pub(super) fn scale_and_shift(&mut self, name: &str, channels: usize) -> usize {
        let gamma = self.variable(name, Role::Gamma, &[channels], vec![1.0; channels]);
        self.variable(name, Role::Beta, &[channels], vec![0.0; channels]);
        gamma
    }

    /// Makes a variable of the layer with this name, and returns its index.
    pub(super) fn variable(
        &mut self,
        layer: &str,
        role: Role,
        shape: &[usize],
        values: Vec<f32>,
    ) -> usize {
        let count = shape.iter().product();
        let value = backend::tensor(values, [count], &self.backend.device);
        let value = if role.is_trained() { value.require_grad() } else { value };
        self.variables.push(Variable {
            name: format!("{layer}/{}", role.keras_name()),
            role,
            shape: shape.to_vec(),
            value,
            trainable: role.is_trained() && !self.frozen,
        });
        self.variables.len() - 1
    }
}

/// A layer whose kernel and bias are to be made.
pub(super) struct Weights<'a> {
    /// The layer's index in the configuration's list.
    pub index: usize,
    pub config: &'a LayerConfig,
    pub name: &'a str,
    /// The shape that gives the fans.
    pub window: &'a [usize],
}
