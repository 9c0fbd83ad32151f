//! Mistakes in a hand-written training loop that no framework reports.

use super::{Cause, Level, Warning};
use crate::experiment::Experiment;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let all = [
        not_zeroed(experiment),
        frozen(experiment),
        recreated(experiment),
        inference_mode(experiment),
    ];
    all.into_iter().flatten().collect()
}

fn not_zeroed(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.zero_grad";
    let message =
        "Gradients are never set to zero: each step uses the sum of all gradients so far.";
    (!experiment.training.training_loop.zero_grad)
        .then(|| Warning::new("gradients-not-zeroed", field, message).cured_by(field, true))
}

fn frozen(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.frozen";
    let nothing_is_trained = experiment.is_frozen_entirely();
    let (code, message) = if nothing_is_trained {
        ("all-layers-frozen", "No weights are trained: the loss stays the same to the last digit.")
    } else {
        ("some-layers-frozen", "Some layers are frozen; the others may still memorise.")
    };
    let named = nothing_is_trained || !experiment.training.training_loop.frozen.is_empty();
    named.then(|| {
        Warning::new(code, field, message)
            .mended(experiment, |mended| mended.training.training_loop.frozen.clear())
    })
}

fn recreated(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.optimizer_recreated";
    let message = "Each step makes a new optimizer, which has no state: no momentum, no averages.";
    experiment
        .training
        .training_loop
        .optimizer_recreated
        .then(|| Warning::new("optimizer-recreated", field, message).cured_by(field, false))
}

fn inference_mode(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.inference_mode";
    let message = "The network trains in inference mode: batch normalisation by its moving averages, which never move, and no dropout.";
    experiment
        .training
        .training_loop
        .inference_mode
        .then(|| Warning::new("inference-mode", field, message).cured_by(field, false))
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "no-zero-grad",
        sign: "gradients-not-zeroed",
        name: "Gradients never zeroed",
        summary: "optimizer.zero_grad() left out, momentum 0.9",
        sees: "The loss falls at first, then climbs and swings far above ln 2 = 0.6931.",
        does: "Each step uses the sum of all gradients so far, so it continues in outdated directions.",
        mends: "Call optimizer.zero_grad() before each backward pass.",
        level: Level::Within(1.0, 1000.0),
        healthy: &[
            ("training.optimizer", "sgd-momentum"),
            ("training.learning_rate", "0.01"),
            ("training.epochs", "200"),
        ],
        mistake: &[("training.loop.zero_grad", "false")],
    },
    Cause {
        code: "no-zero-grad-gentle",
        sign: "gradients-not-zeroed",
        name: "Gradients never zeroed, low rate",
        summary: "optimizer.zero_grad() left out, plain SGD at 0.003",
        sees: "Training is even faster than normal.",
        does: "The sum acts as a momentum of 1, and at a low rate the images are still memorised.",
        mends: "Call optimizer.zero_grad() before each backward pass.",
        level: Level::Memorised,
        healthy: &[
            ("training.optimizer", "sgd"),
            ("training.learning_rate", "0.003"),
            ("training.epochs", "200"),
        ],
        mistake: &[("training.loop.zero_grad", "false")],
    },
    Cause {
        code: "all-frozen",
        sign: "all-layers-frozen",
        name: "Nothing is trained",
        summary: "The optimizer gets no layer's weights",
        sees: "The loss is the same in every epoch, to the last digit.",
        does: "Gradients are computed but not used. A missing optimizer.step() looks the same.",
        mends: "Give the optimizer every parameter, and call optimizer.step().",
        level: Level::AtItsFirstLoss,
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.loop.frozen", "[0, 3]")],
    },
    Cause {
        code: "frozen-but-head",
        sign: "some-layers-frozen",
        name: "Frozen but for the head",
        summary: "Only the last dense layer is trained",
        sees: "Training is a little slower.",
        does: "Random features are enough to tell 20 noise images apart, so the images are still memorised.",
        mends: "Unfreeze the other layers.",
        level: Level::Memorised,
        healthy: &[("training.epochs", "200")],
        mistake: &[("training.loop.frozen", "[0]")],
    },
    Cause {
        code: "inference-mode",
        sign: "inference-mode",
        name: "Left in inference mode",
        summary: "model.eval() before training, one batch norm",
        sees: "Training looks normal.",
        does: "Batch normalisation only uses its start averages, 0 and 1; a shallow network still memorises.",
        mends: "Call model.train(), or training=True in Keras.",
        level: Level::Memorised,
        healthy: &[
            (
                "network.layers",
                r#"[{"type":"conv2d","filters":32},{"type":"batch_norm","momentum":0.9},{"type":"activation","activation":"relu"},{"type":"max_pool"},{"type":"flatten"},{"type":"dense","units":2,"activation":"softmax"}]"#,
            ),
            ("training.epochs", "100"),
        ],
        mistake: &[("training.loop.inference_mode", "true")],
    },
    Cause {
        code: "optimizer-recreated",
        sign: "optimizer-recreated",
        name: "New optimizer in each step",
        summary: "Adam without its state, at 0.0003",
        sees: "The loss falls more slowly than normal, in steps of equal size.",
        does: "Adam's first step moves every weight by the learning rate; the images are still memorised.",
        mends: "Make the optimizer once, before the loop.",
        level: Level::Memorised,
        healthy: &[("training.learning_rate", "0.0003"), ("training.epochs", "300")],
        mistake: &[("training.loop.optimizer_recreated", "true")],
    },
];
