//! Initial weights that are equal, too large or too small.

use super::{Cause, Level, Warning};
use crate::experiment::{Experiment, KernelInitializer, number_text};

/// A factor of the initial kernels gives a warning above this number or below its inverse.
const USUAL_FACTOR: f64 = 10.0;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    [equal(experiment), factor(experiment)].into_iter().flatten().collect()
}

fn equal(experiment: &Experiment) -> Option<Warning> {
    let message = "All weights of a layer start equal, so its units stay alike or get no gradient. Draw the weights at random.";
    let warning = || {
        Warning::new("weights-equal", "network.initializer.kernel", message).mended(
            experiment,
            |mended| {
                let initializer = &mut mended.network.initializer;
                if initializer.kernel.is_constant() {
                    initializer.kernel = KernelInitializer::GlorotUniform {};
                }
                if initializer.factor == 0.0 {
                    initializer.factor = 1.0;
                }
            },
        )
    };
    start_equal(experiment).then(warning)
}

fn start_equal(experiment: &Experiment) -> bool {
    let initializer = &experiment.network.initializer;
    initializer.kernel.is_constant() || initializer.factor == 0.0
}

fn factor(experiment: &Experiment) -> Option<Warning> {
    let field = "network.initializer.factor";
    let factor = experiment.network.initializer.factor;
    let (code, size, what) = if factor.abs() > USUAL_FACTOR {
        (
            "weights-too-large",
            "large",
            "the first loss is huge, and steps of the usual size need many epochs to shrink them",
        )
    } else if factor.abs() < 1.0 / USUAL_FACTOR {
        ("weights-too-small", "small", "activations and gradients shrink in every layer")
    } else {
        return None;
    };
    let message = format!(
        "Initial weights are {} times those of their initializer, too {size}: {what}. Leave the factor at 1.",
        number_text(factor)
    );
    (!start_equal(experiment)).then(|| Warning::new(code, field, message).cured_by(field, 1.0))
}

macro_rules! dense_32 {
    () => {
        r#"{"type":"dense","units":32,"activation":"relu"},"#
    };
}

/// A network with eight hidden layers.
pub(super) const EIGHT_LAYERS: &str = concat!(
    r#"[{"type":"flatten"},"#,
    dense_32!(),
    dense_32!(),
    dense_32!(),
    dense_32!(),
    dense_32!(),
    dense_32!(),
    dense_32!(),
    dense_32!(),
    r#"{"type":"dense","units":2,"activation":"softmax"}]"#
);

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "zero-weights",
        sign: "weights-equal",
        name: "All weights zero",
        summary: "Every kernel starts from 0",
        sees: "The loss is exactly ln 2 = 0.6931 from the first epoch on.",
        does: "Every filter's output is 0 for every image, so no kernel gets a gradient.",
        mends: "Use random initial weights, the default of every framework.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[("training.epochs", "100")],
        mistake: &[("network.initializer.kernel", "zeros")],
    },
    Cause {
        code: "weights-too-large",
        sign: "weights-too-large",
        name: "Initial weights too large",
        summary: "Glorot's weights times 100",
        sees: "The first loss is in the thousands, and the last is still in the tens or hundreds.",
        does: "The logits are ten thousand times too large; Adam's steps of 0.001 need many epochs to shrink them.",
        mends: "Use an initializer that follows the fans: Glorot, He or LeCun.",
        level: Level::Within(50.0, 1000.0),
        healthy: &[("training.epochs", "100")],
        mistake: &[("network.initializer.factor", "100")],
    },
    Cause {
        code: "weights-too-small",
        sign: "weights-too-small",
        name: "Initial weights too small",
        summary: "Eight layers, He's weights times 0.01",
        sees: "The loss stays at ln 2 = 0.6931.",
        does: "Each layer makes activations and gradients a hundred times smaller, so almost none reach the other end.",
        mends: "Use an initializer that follows the fans: Glorot, He or LeCun.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[
            ("dataset.side", "16"),
            ("network.layers", EIGHT_LAYERS),
            ("network.initializer.kernel", "he_uniform"),
            ("training.epochs", "100"),
        ],
        mistake: &[("network.initializer.factor", "0.01")],
    },
];
