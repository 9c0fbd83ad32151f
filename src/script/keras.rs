//! An experiment as the Keras script that does the same.

use crate::experiment::{
    Activation, ClippingConfig, ConstraintConfig, Experiment, InitializerConfig, KernelInitializer,
    LayerConfig, LossConfig, NetworkConfig, OptimizerConfig, Padding, RegularizerConfig,
    ScheduleConfig, TrainingConfig,
};

/// The script as lines. It runs as it is with Keras 3.
pub fn lines(experiment: &Experiment) -> Vec<String> {
    let Experiment { dataset, network, training, seed } = experiment;
    let shape = format!("{0}, {0}, {1}", dataset.side, dataset.channels);
    let mut script: Vec<String> = [
        "import keras",
        "import numpy as np",
        "",
        "# Keras draws other numbers from this seed: other images, the same experiment.",
    ]
    .map(String::from)
    .into();
    script.push(format!("keras.utils.set_random_seed({seed})"));
    if network.layers.iter().any(|layer| matches!(layer, LayerConfig::LocallyConnected { .. })) {
        script.extend(LOCALLY_CONNECTED.lines().map(String::from));
    }
    script.push(format!(
        "images = np.random.uniform(size=({}, {shape})).astype(\"float32\")",
        dataset.images
    ));
    script
        .push(format!("labels = np.random.randint({}, size={})", dataset.classes, dataset.images));
    script.extend(targets(&training.loss, network, dataset.classes));
    script.push(String::new());
    let residual = network.layers.iter().any(|layer| matches!(layer, LayerConfig::Save {}));
    let calls = calls(network, &training.loss);
    script.extend(if residual {
        functional(network, calls, &shape)
    } else {
        sequential(calls, &shape)
    });
    script.push("model.compile(".into());
    script.push(format!("    optimizer=keras.optimizers.{},", optimizer(training)));
    script.push(format!("    loss={},", loss(&training.loss)));
    script.push("    metrics=[\"accuracy\"],".into());
    script.push(")".into());
    let compared =
        targets(&training.loss, network, dataset.classes).map_or("labels", |_| "targets");
    script.push(format!(
        "model.fit(images, {compared}, batch_size={}, epochs={})",
        training.batch_size, training.epochs
    ));
    script.push(String::new());
    script.push(format!("loss, accuracy = model.evaluate(images, {compared})"));
    script.push(format!(
        "print(f\"Training accuracy after {} epochs: {{accuracy:.4f}}\")",
        training.epochs
    ));
    script
}

/// Units of the last dense layer.
fn units(network: &NetworkConfig) -> u32 {
    let dense = network.layers.iter().rev().find_map(|layer| match layer {
        LayerConfig::Dense { units, .. } => Some(*units),
        _ => None,
    });
    dense.unwrap_or(0)
}

/// What a loss compares with, where that is not the labels themselves.
fn targets(loss: &LossConfig, network: &NetworkConfig, classes: u32) -> Option<String> {
    match loss {
        LossConfig::SparseCategoricalCrossentropy { .. } => None,
        LossConfig::TorchCrossEntropy { label_smoothing } if *label_smoothing == 0.0 => None,
        _ if units(network) == 1 => Some("targets = labels[:, None].astype(\"float32\")".into()),
        _ => Some(format!("targets = keras.utils.to_categorical(labels, {classes})")),
    }
}

/// A loss by its name, or its call where something differs from Keras' defaults.
fn loss(loss: &LossConfig) -> String {
    let call = |class: &str, from_logits: bool, smoothing: f64| {
        let from_logits = from_logits.then(|| "from_logits=True".to_string());
        let smoothing = (smoothing != 0.0).then(|| format!("label_smoothing={smoothing:?}"));
        let arguments: Vec<_> = from_logits.into_iter().chain(smoothing).collect();
        format!("keras.losses.{class}({})", arguments.join(", "))
    };
    match *loss {
        LossConfig::SparseCategoricalCrossentropy { from_logits: false } => {
            "\"sparse_categorical_crossentropy\"".into()
        }
        LossConfig::SparseCategoricalCrossentropy { from_logits } => {
            call("SparseCategoricalCrossentropy", from_logits, 0.0)
        }
        LossConfig::CategoricalCrossentropy { from_logits, label_smoothing } => {
            call("CategoricalCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::BinaryCrossentropy { from_logits, label_smoothing } => {
            call("BinaryCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::MeanSquaredError {} => call("MeanSquaredError", false, 0.0),
        LossConfig::TorchCrossEntropy { label_smoothing: 0.0 } => {
            call("SparseCategoricalCrossentropy", true, 0.0)
        }
        LossConfig::TorchCrossEntropy { label_smoothing } => {
            call("CategoricalCrossentropy", true, label_smoothing)
        }
    }
}

/// The layers, and one more where the loss is PyTorch's, which looks behind no output.
fn calls(network: &NetworkConfig, loss: &LossConfig) -> Vec<String> {
    let mut calls: Vec<_> = network.layers.iter().map(|layer| call(network, layer)).collect();
    if matches!(loss, LossConfig::TorchCrossEntropy { .. }) {
        calls.push(call(network, &LayerConfig::Reshape {}));
    }
    calls
}

/// A list of layers.
fn sequential(calls: Vec<String>, shape: &str) -> Vec<String> {
    let layers = calls.into_iter().map(|call| format!("    {call},"));
    let start = ["model = keras.Sequential([".to_string(), format!("    keras.Input(({shape})),")];
    start.into_iter().chain(layers).chain(["])".into()]).collect()
}

/// A graph of layers, for what flows past some of them.
fn functional(network: &NetworkConfig, calls: Vec<String>, shape: &str) -> Vec<String> {
    let mut lines = vec![format!("inputs = keras.Input(({shape}))"), "x = inputs".into()];
    lines.extend(calls.into_iter().enumerate().map(
        |(index, call)| match network.layers.get(index) {
            Some(LayerConfig::Save {}) => "saved = x".into(),
            Some(LayerConfig::AddSaved {}) => format!("x = {call}([x, saved])"),
            _ => format!("x = {call}(x)"),
        },
    ));
    lines.push("model = keras.Model(inputs, x)".into());
    lines
}

/// Keras 3 has no such layer.
const LOCALLY_CONNECTED: &str = r#"

class LocallyConnected(keras.layers.Layer):
    """A convolution with weights of its own at each place."""

    def __init__(self, filters, size, use_bias=True, activation=None):
        super().__init__()
        self.filters, self.size, self.use_bias = filters, size, use_bias
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        rows, columns = shape[1] - self.size + 1, shape[2] - self.size + 1
        limit = (6 / (self.size**2 * (shape[3] + self.filters))) ** 0.5
        self.kernel = self.add_weight(
            shape=(rows, columns, self.size**2 * shape[3], self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(rows, columns, self.filters), initializer="zeros")

    def call(self, x):
        rows, columns = self.kernel.shape[:2]
        places = [(i, j) for i in range(self.size) for j in range(self.size)]
        windows = keras.ops.concatenate([x[:, i : i + rows, j : j + columns] for i, j in places], -1)
        y = keras.ops.einsum("nhwc,hwcf->nhwf", windows, self.kernel)
        return self.activation(y + self.bias if self.use_bias else y)

"#;

/// A layer's call; what Keras does by itself is left out.
fn call(network: &NetworkConfig, layer: &LayerConfig) -> String {
    let call = match layer {
        LayerConfig::Conv2d { filters, kernel, strides, padding, use_bias, activation } => {
            let mut arguments = vec![filters.to_string(), kernel.to_string()];
            arguments.extend(sliding(*strides, 1, *padding));
            arguments.extend(options(*activation, *use_bias));
            arguments.extend(weights(network, "[0, 1, 2]", *use_bias));
            format!("Conv2D({})", arguments.join(", "))
        }
        LayerConfig::MaxPool { pool, strides, padding } => {
            format!("MaxPooling2D({})", pooling(*pool, *strides, *padding))
        }
        LayerConfig::AveragePool { pool, strides, padding } => {
            format!("AveragePooling2D({})", pooling(*pool, *strides, *padding))
        }
        LayerConfig::GlobalMaxPool {} => "GlobalMaxPooling2D()".into(),
        LayerConfig::GlobalAveragePool {} => "GlobalAveragePooling2D()".into(),
        LayerConfig::Flatten {} => "Flatten()".into(),
        // Only behind the last dense layer does it make a difference, and what it changes is what the loss finds.
        LayerConfig::Reshape {} => format!("Reshape(({},))", units(network)),
        LayerConfig::Dense { units, use_bias, activation } => {
            let mut arguments = vec![units.to_string()];
            arguments.extend(options(*activation, *use_bias));
            arguments.extend(weights(network, "0", *use_bias));
            format!("Dense({})", arguments.join(", "))
        }
        LayerConfig::BatchNorm { momentum, epsilon } => {
            format!("BatchNormalization(momentum={momentum:?}, epsilon={epsilon:?})")
        }
        LayerConfig::LayerNorm { epsilon } => format!("LayerNormalization(epsilon={epsilon:?})"),
        LayerConfig::Dropout { rate } => format!("Dropout({rate:?})"),
        LayerConfig::LeakyRelu { negative_slope } => {
            format!("LeakyReLU(negative_slope={negative_slope:?})")
        }
        LayerConfig::Activation { activation } => {
            format!("Activation(\"{}\")", activation.keras_name())
        }
        LayerConfig::LocallyConnected { filters, kernel, use_bias, activation } => {
            let mut arguments = vec![filters.to_string(), kernel.to_string()];
            arguments.extend(options(*activation, *use_bias));
            return format!("LocallyConnected({})", arguments.join(", "));
        }
        LayerConfig::Save {} => "Identity()".into(),
        LayerConfig::AddSaved {} => "Add()".into(),
    };
    format!("keras.layers.{call}")
}

fn pooling(pool: u32, strides: u32, padding: Padding) -> String {
    let arguments = [pool.to_string()].into_iter().chain(sliding(strides, pool, padding));
    arguments.collect::<Vec<_>>().join(", ")
}

fn sliding(strides: u32, usual: u32, padding: Padding) -> impl Iterator<Item = String> {
    let strides = (strides != usual).then(|| format!("strides={strides}"));
    let padding = (padding == Padding::Same).then(|| "padding=\"same\"".to_string());
    strides.into_iter().chain(padding)
}

fn options(activation: Option<Activation>, use_bias: bool) -> impl Iterator<Item = String> {
    let activation = activation.map(|kind| format!("activation=\"{}\"", kind.keras_name()));
    let bias = (!use_bias).then(|| "use_bias=False".to_string());
    activation.into_iter().chain(bias)
}

/// An optimizer's call.
fn optimizer(training: &TrainingConfig) -> String {
    let mut arguments = vec![format!("learning_rate={}", learning_rate(training))];
    let mut unless = |name: &str, value: f64, default: f64| {
        if value != default {
            arguments.push(format!("{name}={value:?}"));
        }
    };
    let mut flag = None;
    match training.optimizer {
        OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.999);
            unless("epsilon", epsilon, 1e-7);
            flag = amsgrad.then_some("amsgrad");
        }
        OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad, weight_decay } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.999);
            unless("epsilon", epsilon, 1e-7);
            unless("weight_decay", weight_decay, 0.004);
            flag = amsgrad.then_some("amsgrad");
        }
        OptimizerConfig::Nadam { beta_1, beta_2, epsilon } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.999);
            unless("epsilon", epsilon, 1e-7);
        }
        OptimizerConfig::Adagrad { initial_accumulator_value, epsilon } => {
            unless("initial_accumulator_value", initial_accumulator_value, 0.1);
            unless("epsilon", epsilon, 1e-7);
        }
        OptimizerConfig::Lion { beta_1, beta_2 } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.99);
        }
        OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => {
            unless("momentum", momentum, 0.0);
            unless("weight_decay", weight_decay, 0.0);
            flag = nesterov.then_some("nesterov");
        }
        OptimizerConfig::RmsProp { rho, momentum, epsilon, centered } => {
            unless("rho", rho, 0.9);
            unless("momentum", momentum, 0.0);
            unless("epsilon", epsilon, 1e-7);
            flag = centered.then_some("centered");
        }
    }
    arguments.extend(flag.map(|name| format!("{name}=True")));
    arguments.extend(match training.clipping {
        ClippingConfig::None {} => None,
        ClippingConfig::Norm { limit } => Some(format!("clipnorm={limit:?}")),
        ClippingConfig::Value { limit } => Some(format!("clipvalue={limit:?}")),
        ClippingConfig::GlobalNorm { limit } => Some(format!("global_clipnorm={limit:?}")),
    });
    format!("{}({})", training.optimizer.keras_name(), arguments.join(", "))
}

/// A number or a schedule. Numbers keep their point: Keras 3.15 refuses the integer in `SGD(learning_rate=1)`.
fn learning_rate(training: &TrainingConfig) -> String {
    let rate = training.learning_rate;
    let decay = |class: &str, steps: u32, decay_rate: f64, staircase: bool| {
        let staircase = if staircase { ", staircase=True" } else { "" };
        format!("{class}({rate:?}, decay_steps={steps}, decay_rate={decay_rate:?}{staircase})")
    };
    let cosine = |warmup_steps: u32, from: f64, decay_steps: u32, alpha: f64| {
        let warmup = if warmup_steps == 0 {
            format!("{rate:?}, decay_steps={decay_steps}, alpha={alpha:?}")
        } else {
            format!(
                "{:?}, decay_steps={decay_steps}, alpha={alpha:?}, warmup_target={rate:?}, warmup_steps={warmup_steps}",
                from * rate
            )
        };
        format!("CosineDecay({warmup})")
    };
    let call = match &training.schedule {
        ScheduleConfig::Constant {} => return format!("{rate:?}"),
        ScheduleConfig::Exponential { decay_steps, decay_rate, staircase } => {
            decay("ExponentialDecay", *decay_steps, *decay_rate, *staircase)
        }
        ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase } => {
            decay("InverseTimeDecay", *decay_steps, *decay_rate, *staircase)
        }
        ScheduleConfig::Piecewise { boundaries, factors } => {
            let values: Vec<f64> =
                [rate].into_iter().chain(factors.iter().map(|factor| factor * rate)).collect();
            format!("PiecewiseConstantDecay({boundaries:?}, {values:?})")
        }
        ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha } => {
            cosine(*warmup_steps, *warmup_from, *decay_steps, *alpha)
        }
        // A cosine that ends where it starts.
        ScheduleConfig::Warmup { warmup_steps, warmup_from } => {
            cosine(*warmup_steps, *warmup_from, 1, 1.0)
        }
    };
    format!("keras.optimizers.schedules.{call}")
}

/// What a layer with weights is told of them; `axes` are those that a filter or unit sums over.
fn weights(network: &NetworkConfig, axes: &str, use_bias: bool) -> Vec<String> {
    let mut arguments = Vec::new();
    let InitializerConfig { kernel, factor, bias } = &network.initializer;
    let scaled = |scale: f64, mode: &str, distribution: &str| {
        let scale = scale * factor * factor;
        format!("VarianceScaling({scale:?}, mode=\"{mode}\", distribution=\"{distribution}\")")
    };
    let initializer = match kernel {
        KernelInitializer::GlorotUniform {} if *factor == 1.0 => None,
        KernelInitializer::GlorotUniform {} => Some(scaled(1.0, "fan_avg", "uniform")),
        KernelInitializer::GlorotNormal {} => Some(scaled(1.0, "fan_avg", "truncated_normal")),
        KernelInitializer::HeUniform {} => Some(scaled(2.0, "fan_in", "uniform")),
        KernelInitializer::HeNormal {} => Some(scaled(2.0, "fan_in", "truncated_normal")),
        KernelInitializer::LecunUniform {} => Some(scaled(1.0, "fan_in", "uniform")),
        KernelInitializer::LecunNormal {} => Some(scaled(1.0, "fan_in", "truncated_normal")),
        KernelInitializer::Zeros {} => Some("Zeros()".into()),
        KernelInitializer::Constant { value } => Some(format!("Constant({:?})", value * factor)),
    };
    let named = |argument: &str, call: String| format!("{argument}=keras.{call}");
    if let Some(call) = initializer {
        arguments.push(named("kernel_initializer", format!("initializers.{call}")));
    }
    if use_bias && *bias != 0.0 {
        arguments.push(named("bias_initializer", format!("initializers.Constant({bias:?})")));
    }
    let RegularizerConfig { l1, l2, bias_l2 } = network.regularizer;
    if l1 != 0.0 || l2 != 0.0 {
        let call = format!("regularizers.L1L2(l1={l1:?}, l2={l2:?})");
        arguments.push(named("kernel_regularizer", call));
    }
    if use_bias && bias_l2 != 0.0 {
        arguments.push(named("bias_regularizer", format!("regularizers.L2({bias_l2:?})")));
    }
    if let ConstraintConfig::MaxNorm { limit } = network.constraint {
        let call = format!("constraints.MaxNorm({limit:?}, axis={axes})");
        arguments.push(named("kernel_constraint", call));
    }
    arguments
}
