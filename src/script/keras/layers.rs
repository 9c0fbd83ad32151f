//! The Keras model.

use super::training::needs_own_step;
use crate::experiment::{
    Activation, ConstraintConfig, DatasetConfig, Distribution, Experiment, Fans, KernelInitializer,
    LayerConfig, LossConfig, NetworkConfig, Padding, RegularizerConfig, Shape, layer_shapes,
};
use crate::script::text::{Script, call};

/// Makes the model: a `Sequential`, or a functional model where there are residual connections.
pub fn model(script: &mut Script, experiment: &Experiment) {
    let dataset = &experiment.dataset;
    let layers = &experiment.network.layers;
    let DatasetConfig { height, width, channels, .. } = *dataset;
    let input = format!("keras.Input(({height}, {width}, {channels}))");
    let own_step = needs_own_step(experiment);
    let mut calls = calls(experiment);
    let hides = matches!(experiment.training.loss, LossConfig::TorchCrossEntropy { .. });
    let comment =
        "# PyTorch's loss takes any output for logits. After this layer, Keras' loss does as well.";
    if hides {
        calls.push(format!("keras.layers.Reshape(({},))", experiment.output_units()));
    }
    if !layers.contains(&LayerConfig::Save {}) {
        let class = if own_step { "Network" } else { "keras.Sequential" };
        script.add(format_args!("model = {class}(["));
        script.add(format_args!("    {input},"));
        for (index, call) in calls.iter().enumerate() {
            if index == layers.len() {
                script.add(format_args!("    {comment}"));
            }
            script.add(format_args!("    {call},"));
        }
        script.line("])");
        return;
    }
    script.add(format_args!("inputs = {input}"));
    script.line("x = inputs");
    for (index, call) in calls.iter().enumerate() {
        script.lines(&match layers.get(index) {
            Some(LayerConfig::Save {}) => "saved = x".into(),
            Some(LayerConfig::AddSaved {}) => format!("x = {call}([x, saved])"),
            Some(_) => format!("x = {call}(x)"),
            None => format!("{comment}\nx = {call}(x)"),
        });
    }
    script
        .line(&format!("model = {}(inputs, x)", if own_step { "Network" } else { "keras.Model" }));
}

fn calls(experiment: &Experiment) -> Vec<String> {
    let Experiment { dataset, network, .. } = experiment;
    let shapes = layer_shapes(network, dataset).unwrap_or_default();
    let layers = network.layers.iter().zip(shapes).enumerate();
    let calls = layers.map(|(index, (layer, shape))| {
        let frozen = experiment.is_frozen(index) && layer.has_weights();
        layer_call(network, layer, shape.input, frozen)
    });
    calls.collect()
}

/// The class of a locally connected layer, which Keras 3 does not have.
pub const LOCALLY_CONNECTED: &str = r#"class LocallyConnected(keras.layers.Layer):
    """A convolution with its own weights at each place. `kernel` and `bias` are the arguments of `add_weight`."""

    def __init__(self, filters, size, activation=None, kernel=None, bias=None, **options):
        super().__init__(**options)
        self.filters, self.size, self.options = filters, size, (kernel, bias)
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        rows, columns = shape[1] - self.size + 1, shape[2] - self.size + 1
        kernel, bias = self.options
        self.kernel = self.add_weight((rows, columns, self.size**2 * shape[3], self.filters), **kernel)
        self.bias = self.add_weight((rows, columns, self.filters), **bias) if bias else 0.0

    def call(self, x):
        rows, columns = self.kernel.shape[:2]
        places = [(i, j) for i in range(self.size) for j in range(self.size)]
        windows = keras.ops.concatenate([x[:, i : i + rows, j : j + columns] for i, j in places], -1)
        return self.activation(keras.ops.einsum("nhwc,hwcf->nhwf", windows, self.kernel) + self.bias)"#;

/// The call of a layer's class. Arguments with Keras' defaults are left out.
fn layer_call(network: &NetworkConfig, layer: &LayerConfig, input: Shape, frozen: bool) -> String {
    let mut arguments = Vec::new();
    let start = Start {
        network,
        kernel: layer.kernel_initializer().unwrap_or(network.initializer.kernel),
        fans: layer.fans(input).unwrap_or(Fans { inputs: 1.0, outputs: 1.0 }),
    };
    let class = match layer {
        LayerConfig::Conv2d { filters, kernel, strides, padding, use_bias, activation, .. } => {
            arguments = vec![filters.to_string(), kernel.to_string()];
            sliding(&mut arguments, *strides, 1, *padding);
            options(&mut arguments, *activation, *use_bias);
            weights(&mut arguments, &start, "[0, 1, 2]", *use_bias);
            "Conv2D"
        }
        LayerConfig::MaxPool { pool, strides, padding } => {
            arguments.push(pool.to_string());
            sliding(&mut arguments, *strides, *pool, *padding);
            "MaxPooling2D"
        }
        LayerConfig::AveragePool { pool, strides, padding } => {
            arguments.push(pool.to_string());
            sliding(&mut arguments, *strides, *pool, *padding);
            "AveragePooling2D"
        }
        LayerConfig::GlobalMaxPool {} => "GlobalMaxPooling2D",
        LayerConfig::GlobalAveragePool {} => "GlobalAveragePooling2D",
        LayerConfig::Flatten {} => "Flatten",
        LayerConfig::Reshape {} => {
            arguments.push(match input {
                Shape::Image([height, width, channels]) => {
                    format!("({height}, {width}, {channels})")
                }
                Shape::Flat(units) => format!("({units},)"),
            });
            "Reshape"
        }
        LayerConfig::Dense { units, use_bias, activation, .. } => {
            arguments.push(units.to_string());
            options(&mut arguments, *activation, *use_bias);
            weights(&mut arguments, &start, "0", *use_bias);
            "Dense"
        }
        LayerConfig::BatchNorm { momentum, epsilon } => {
            arguments = vec![format!("momentum={momentum:?}"), format!("epsilon={epsilon:?}")];
            "BatchNormalization"
        }
        LayerConfig::LayerNorm { epsilon } => {
            arguments.push(format!("epsilon={epsilon:?}"));
            "LayerNormalization"
        }
        LayerConfig::GroupNorm { groups, epsilon } => {
            arguments = vec![format!("groups={groups}"), format!("epsilon={epsilon:?}")];
            "GroupNormalization"
        }
        LayerConfig::Dropout { rate } => {
            arguments.push(format!("{rate:?}"));
            "Dropout"
        }
        LayerConfig::LeakyRelu { negative_slope } => {
            arguments.push(format!("negative_slope={negative_slope:?}"));
            "LeakyReLU"
        }
        LayerConfig::Activation { activation } => {
            arguments.push(format!("\"{}\"", activation.keras_name()));
            "Activation"
        }
        LayerConfig::LocallyConnected { filters, kernel, use_bias, activation, .. } => {
            arguments = vec![filters.to_string(), kernel.to_string()];
            options(&mut arguments, *activation, true);
            arguments.extend(weights_of_places(&start, *use_bias));
            if frozen {
                arguments.push("trainable=False".into());
            }
            return call("LocallyConnected", &arguments);
        }
        LayerConfig::Save {} => "Identity",
        LayerConfig::AddSaved {} => "Add",
    };
    if frozen {
        arguments.push("trainable=False".into());
    }
    call(&format!("keras.layers.{class}"), &arguments)
}

fn sliding(arguments: &mut Vec<String>, strides: u32, usual: u32, padding: Padding) {
    if strides != usual {
        arguments.push(format!("strides={strides}"));
    }
    if padding == Padding::Same {
        arguments.push("padding=\"same\"".into());
    }
}

fn options(arguments: &mut Vec<String>, activation: Option<Activation>, use_bias: bool) {
    if let Some(kind) = activation {
        arguments.push(format!("activation=\"{}\"", kind.keras_name()));
    }
    if !use_bias {
        arguments.push("use_bias=False".into());
    }
}

/// The inputs of a layer's initializers.
struct Start<'a> {
    network: &'a NetworkConfig,
    kernel: KernelInitializer,
    fans: Fans,
}

/// Adds the arguments for a layer's weights. `axes` are the axes that a filter or unit sums over.
fn weights(arguments: &mut Vec<String>, start: &Start, axes: &str, use_bias: bool) {
    for (what, of_kernel) in kernel_options(start.network, initializer(start), axes) {
        arguments.push(format!("kernel_{what}={of_kernel}"));
    }
    if use_bias {
        for (what, of_bias) in bias_options(start) {
            arguments.push(format!("bias_{what}={of_bias}"));
        }
    }
}

/// The same for [`LOCALLY_CONNECTED`], whose fans are those of one window.
fn weights_of_places(start: &Start, use_bias: bool) -> Vec<String> {
    let dict = |what: &str, options: Vec<(&str, String)>| {
        let options: Vec<_> =
            options.into_iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{what}={{{}}}", options.join(", "))
    };
    let options = kernel_options(start.network, Some(by_numbers(start)), "[0, 1, 2]");
    let mut arguments = vec![dict("kernel", options)];
    if use_bias {
        let mut options = bias_options(start);
        if !options.iter().any(|(name, _)| *name == "initializer") {
            options.insert(0, ("initializer", "\"zeros\"".into()));
        }
        arguments.push(dict("bias", options));
    }
    arguments
}

fn kernel_options(
    network: &NetworkConfig,
    initializer: Option<String>,
    axes: &str,
) -> Vec<(&'static str, String)> {
    let mut options = Vec::new();
    options.extend(initializer.map(|call| ("initializer", format!("keras.initializers.{call}"))));
    let RegularizerConfig { l1, l2, .. } = network.regularizer;
    if l1 != 0.0 || l2 != 0.0 {
        options.push(("regularizer", format!("keras.regularizers.L1L2(l1={l1:?}, l2={l2:?})")));
    }
    if let ConstraintConfig::MaxNorm { limit } = network.constraint {
        options.push(("constraint", format!("keras.constraints.MaxNorm({limit:?}, axis={axes})")));
    }
    options
}

fn bias_options(start: &Start) -> Vec<(&'static str, String)> {
    let Start { network, kernel, fans } = start;
    let bias = network.initializer.bias;
    let l2 = network.regularizer.bias_l2;
    let mut options = Vec::new();
    match kernel.distribution(*fans) {
        Distribution::Uniform { limit } if kernel.draws_biases() => {
            let limit = limit * network.initializer.factor;
            let ends = format!("{:?}, {:?}", (bias - limit) as f32, (bias + limit) as f32);
            options.push(("initializer", format!("keras.initializers.RandomUniform({ends})")));
        }
        _ if bias != 0.0 => {
            options.push(("initializer", format!("keras.initializers.Constant({bias:?})")));
        }
        _ => {}
    }
    if l2 != 0.0 {
        options.push(("regularizer", format!("keras.regularizers.L2({l2:?})")));
    }
    options
}

/// An initializer that gives the numbers of its distribution: for kernels whose fans Keras would count differently, and for rules
/// that have no name in Keras.
fn by_numbers(start: &Start) -> String {
    let factor = start.network.initializer.factor;
    let scaled = |value: f64| (factor * value) as f32;
    match start.kernel.distribution(start.fans) {
        Distribution::Uniform { limit } => {
            format!("RandomUniform(-{0:?}, {0:?})", scaled(limit))
        }
        Distribution::Normal { stddev } => format!("RandomNormal(stddev={:?})", scaled(stddev)),
        Distribution::TruncatedNormal { stddev } => {
            format!("TruncatedNormal(stddev={:?})", scaled(stddev))
        }
        Distribution::Constant { value: 0.0 } => "Zeros()".into(),
        Distribution::Constant { value } => format!("Constant({:?})", value * factor),
    }
}

/// The initializer by Keras' name; `None` for Keras' default.
fn initializer(start: &Start) -> Option<String> {
    let factor = start.network.initializer.factor;
    let scaled = |scale: f64, mode: &str, distribution: &str| {
        let scale = scale * factor * factor;
        Some(format!(
            "VarianceScaling({scale:?}, mode=\"{mode}\", distribution=\"{distribution}\")"
        ))
    };
    // VarianceScaling refuses a scale of 0.
    if factor == 0.0 {
        return Some("Zeros()".into());
    }
    let normal = "truncated_normal";
    match start.kernel {
        KernelInitializer::GlorotUniform {} if factor == 1.0 => None,
        KernelInitializer::GlorotUniform {} => scaled(1.0, "fan_avg", "uniform"),
        KernelInitializer::GlorotNormal {} => scaled(1.0, "fan_avg", normal),
        KernelInitializer::HeUniform {} => scaled(2.0, "fan_in", "uniform"),
        KernelInitializer::HeNormal {} => scaled(2.0, "fan_in", normal),
        KernelInitializer::LecunUniform {} => scaled(1.0, "fan_in", "uniform"),
        KernelInitializer::LecunNormal {} => scaled(1.0, "fan_in", normal),
        KernelInitializer::RandomUniform { .. }
        | KernelInitializer::RandomNormal { .. }
        | KernelInitializer::TruncatedNormal { .. }
        | KernelInitializer::PytorchDefault {}
        | KernelInitializer::Zeros {}
        | KernelInitializer::Constant { .. } => Some(by_numbers(start)),
    }
}
