//! Layers that do not fulfil their purpose: saturating, too deep, too narrow or without an activation.

use super::weights::EIGHT_LAYERS;
use super::{Cause, Level, Warning};
use crate::experiment::{Activation, Experiment, KernelInitializer, LayerConfig, OptimizerConfig};

/// This many hidden sigmoid or tanh layers give a warning.
const DEEP_SATURATING: usize = 4;
/// This many ReLU layers whose initial weights shrink activations, without normalisation, give a warning under SGD.
const DEEP: usize = 10;
/// A hidden dense layer of at most this many units gives a warning.
const NARROW: u32 = 2;
/// The units of a narrow layer after its cure.
const WIDE: u32 = 64;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let all = [saturating(experiment), too_deep(experiment), narrow(experiment)];
    let all = all.into_iter().flatten();
    all.chain(without_activation(experiment)).collect()
}

fn saturating(experiment: &Experiment) -> Option<Warning> {
    let layers = &experiment.network.layers;
    let saturates = |layer: &LayerConfig| layer.activation().is_some_and(Activation::saturates);
    // The last layer may end with a sigmoid.
    let hidden = &layers[..layers.len() - 1];
    let count = hidden.iter().filter(|layer| saturates(layer)).count();
    let normed = layers.iter().any(|layer| layer.norm().is_some());
    let message = format!(
        "{count} layers end with sigmoid or tanh: each shrinks the gradient, and almost none reaches the first layer. Use ReLU with He initialisation, or batch normalisation."
    );
    (count >= DEEP_SATURATING && !normed).then(|| {
        Warning::new("deep-saturating", "network.layers", message).mended(experiment, |mended| {
            let last = mended.network.layers.len() - 1;
            for layer in mended.network.layers[..last].iter_mut().filter(|layer| saturates(layer)) {
                *layer = layer.clone().with_activation(Activation::Relu);
            }
            mended.network.initializer.kernel = KernelInitializer::HeUniform {};
        })
    })
}

/// Deep networks with ReLU under SGD. Measured with thirteen convolutions of 8 to 32 filters on 20 images of ten classes, over two
/// seeds: from Glorot's weights, SGD stays at ln 10 at rates of 0.01 and 0.1, with or without momentum, and Adam memorises. From
/// He's weights, SGD memorises at 0.01, but not at 0.1 with momentum. With batch normalisation, SGD memorises at both rates.
fn too_deep(experiment: &Experiment) -> Option<Warning> {
    let layers = &experiment.network.layers;
    let optimizer = &experiment.training.optimizer;
    let kernels = layers.iter().filter(|layer| layer.has_kernel());
    let keeps_variance = |layer: &&LayerConfig| {
        let own = layer.kernel_initializer();
        let kernel = own.unwrap_or(experiment.network.initializer.kernel);
        matches!(kernel, KernelInitializer::HeUniform {} | KernelInitializer::HeNormal {})
    };
    let count = kernels.clone().count();
    let shrinking = kernels.filter(|layer| !keeps_variance(layer)).count();
    let normed = layers.iter().any(|layer| layer.norm().is_some());
    let is_residual = layers.iter().any(|layer| matches!(layer, LayerConfig::AddSaved {}));
    let relus = layers.iter().filter(|layer| layer.activation() == Some(Activation::Relu)).count();
    let is_sgd = matches!(optimizer, OptimizerConfig::Sgd { .. });
    let is_too_deep = is_sgd && shrinking.min(relus) >= DEEP && !normed && !is_residual;
    let message = format!(
        "{count} layers with weights and no normalisation: each ReLU halves the signal, the first layers get almost no gradient, and SGD's steps do not compensate. Use He initialisation with a rate of {}, batch normalisation, or Adam.",
        optimizer.usual_rate()
    );
    is_too_deep.then(|| {
        Warning::new("deep-without-normalisation", "network.layers", message).mended(
            experiment,
            |mended| {
                mended.network.initializer.kernel = KernelInitializer::HeUniform {};
                mended.training.optimizer = OptimizerConfig::SGD;
                mended.training.learning_rate = OptimizerConfig::SGD.usual_rate();
            },
        )
    })
}

fn narrow(experiment: &Experiment) -> Option<Warning> {
    let layers = &experiment.network.layers;
    let last = layers.iter().rposition(|layer| matches!(layer, LayerConfig::Dense { .. }))?;
    let is_narrow =
        |layer: &LayerConfig| matches!(layer, LayerConfig::Dense { units, .. } if *units <= NARROW);
    let index = layers[..last].iter().position(is_narrow)?;
    let LayerConfig::Dense { units, .. } = layers[index] else { return None };
    let (numbers, classes) =
        (if units == 1 { "number" } else { "numbers" }, experiment.dataset.classes);
    let field = format!("network.layers[{index}].units");
    let message = format!(
        "“{}” leaves {units} {numbers} per image: whether that can tell {classes} classes apart depends on the seed. Make the layer wider.",
        layers[index].name()
    );
    Some(Warning::new("too-narrow", field, message).mended(experiment, |mended| {
        for layer in mended.network.layers[..last].iter_mut().filter(|layer| is_narrow(layer)) {
            if let LayerConfig::Dense { units, .. } = layer {
                *units = WIDE;
            }
        }
    }))
}

/// Layers with weights and no activation before the next layer with weights.
fn without_activation(experiment: &Experiment) -> Vec<Warning> {
    let layers = &experiment.network.layers;
    let (weighs, breaks_chain) = (LayerConfig::has_kernel, LayerConfig::breaks_linear_chain);
    let is_linear = move |index: &usize| {
        let next = layers[index + 1..].iter().find(|layer| weighs(layer) || breaks_chain(layer));
        let layer = &layers[*index];
        weighs(layer) && layer.activation().is_none() && next.is_some_and(weighs)
    };
    let warning = |index: usize| {
        let message = format!(
            "“{}” has no activation, so it and the next layer with weights are nearly one linear layer.",
            layers[index].name()
        );
        let field = format!("network.layers[{index}].activation");
        Warning::new("no-activation", field, message).mended(experiment, |mended| {
            for index in (0..layers.len()).filter(is_linear) {
                let layer = mended.network.layers[index].clone();
                mended.network.layers[index] = layer.with_activation(Activation::Relu);
            }
        })
    };
    (0..layers.len()).filter(is_linear).map(warning).collect()
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "deep-sigmoid",
        sign: "deep-saturating",
        name: "Deep sigmoid stack",
        summary: "Eight sigmoid layers, plain SGD",
        sees: "The loss falls to ln 2 = 0.6931 and stays there.",
        does: "A sigmoid passes at most a quarter of a gradient, so almost none gets through eight of them.",
        mends: "Use ReLU with He initialisation, or batch normalisation.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[
            ("dataset.side", "16"),
            ("network.layers", EIGHT_LAYERS),
            ("network.initializer.kernel", "he_uniform"),
            ("training.optimizer", "sgd"),
            ("training.learning_rate", "0.03"),
            ("training.epochs", "300"),
        ],
        mistake: &[
            ("network.initializer.kernel", "glorot_uniform"),
            ("network.layers[1].activation", "sigmoid"),
            ("network.layers[2].activation", "sigmoid"),
            ("network.layers[3].activation", "sigmoid"),
            ("network.layers[4].activation", "sigmoid"),
            ("network.layers[5].activation", "sigmoid"),
            ("network.layers[6].activation", "sigmoid"),
            ("network.layers[7].activation", "sigmoid"),
            ("network.layers[8].activation", "sigmoid"),
        ],
    },
    Cause {
        code: "too-narrow",
        sign: "too-narrow",
        name: "Too narrow",
        summary: "One hidden unit for ten classes",
        sees: "The loss stops between 1 and ln 10 = 2.3026, at a value that depends on the seed.",
        does: "One number per image cannot tell ten classes apart, and a single ReLU easily dies.",
        mends: "Use a wider layer.",
        level: Level::Within(1.0, std::f64::consts::LN_10 + 1e-3),
        healthy: &[
            ("dataset.classes", "10"),
            (
                "network.layers",
                r#"[{"type":"flatten"},{"type":"dense","units":64,"activation":"relu"},{"type":"dense","units":10,"activation":"softmax"}]"#,
            ),
            ("training.epochs", "300"),
        ],
        mistake: &[("network.layers[1].units", "1")],
    },
    Cause {
        code: "no-activation",
        sign: "no-activation",
        name: "Missing activation",
        summary: "A convolution without its ReLU",
        sees: "Training looks normal.",
        does: "A nearly linear network can tell 20 noise images apart, so they are still memorised.",
        mends: "Give each hidden layer its activation.",
        level: Level::Memorised,
        healthy: &[("training.epochs", "100")],
        mistake: &[("network.layers[0].activation", "none")],
    },
];
