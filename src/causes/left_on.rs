//! Regularisation that helps real training but hinders memorising.

use super::{Cause, Level, Warning};
use crate::experiment::{AugmentationConfig, Experiment, LayerConfig, RegularizerConfig};

/// Weight decay of at least this much gives a warning.
const STRONG_DECAY: f64 = 0.01;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let all = [
        augmentation(experiment),
        dropout(experiment),
        weight_decay(experiment),
        regularisation(experiment),
    ];
    all.into_iter().flatten().collect()
}

fn augmentation(experiment: &Experiment) -> Option<Warning> {
    let message = "Augmentation is on: the loss and accuracy of an epoch are those of altered images, and lag. Switch augmentation off to test memorising.";
    (!experiment.training.augmentation.is_off()).then(|| {
        Warning::new("augmentation-on", "training.augmentation", message)
            .mended(experiment, |mended| mended.training.augmentation = AugmentationConfig::OFF)
    })
}

fn dropout(experiment: &Experiment) -> Option<Warning> {
    let layers = &experiment.network.layers;
    let is_on = |layer: &LayerConfig| matches!(layer, LayerConfig::Dropout { rate } if *rate > 0.0);
    let index = layers.iter().position(is_on)?;
    let message = format!(
        "“{}” is on in training: the loss and accuracy of an epoch are those of a thinned network. Switch dropout off to test memorising.",
        layers[index].name()
    );
    let warning = Warning::new("dropout-on", format!("network.layers[{index}].rate"), message);
    Some(warning.mended(experiment, |mended| {
        for layer in &mut mended.network.layers {
            if let LayerConfig::Dropout { rate } = layer {
                *rate = 0.0;
            }
        }
    }))
}

fn weight_decay(experiment: &Experiment) -> Option<Warning> {
    let decay = experiment.training.optimizer.weight_decay();
    let field = "training.optimizer.weight_decay";
    let message = format!(
        "A weight decay of {decay} works against memorising. Switch weight decay off to test memorising."
    );
    (decay >= STRONG_DECAY)
        .then(|| Warning::new("weight-decay-on", field, message).cured_by(field, 0.0))
}

fn regularisation(experiment: &Experiment) -> Option<Warning> {
    let message = "The loss includes a penalty on the weights and cannot reach 0. Switch regularisation off to test memorising.";
    (!experiment.network.regularizer.is_off()).then(|| {
        Warning::new("regularisation-on", "network.regularizer", message)
            .mended(experiment, |mended| mended.network.regularizer = RegularizerConfig::NONE)
    })
}

macro_rules! ten_classes {
    ($hidden:expr) => {
        concat!(
            r#"[{"type":"flatten"},"#,
            $hidden,
            r#"{"type":"dense","units":10,"activation":"softmax"}]"#
        )
    };
}

macro_rules! dense_64 {
    () => {
        r#"{"type":"dense","units":64,"activation":"relu"},"#
    };
}

macro_rules! dropout_90 {
    () => {
        r#"{"type":"dropout","rate":0.9},"#
    };
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "augmentation",
        sign: "augmentation-on",
        name: "Augmentation left on",
        summary: "Flips, shifts and noise, different in each epoch",
        sees: "Training accuracy comes near 100 % late and does not stay there.",
        does: "The loss and accuracy of an epoch are those of the altered images, and lag; the unaltered images may all be right already.",
        mends: "Switch augmentation off to test memorising.",
        level: Level::WrongInTraining,
        healthy: &[("training.epochs", "250")],
        mistake: &[
            ("training.augmentation.horizontal_flip", "true"),
            ("training.augmentation.shift", "0.1"),
            ("training.augmentation.noise", "0.3"),
        ],
    },
    Cause {
        code: "dropout",
        sign: "dropout-on",
        name: "Dropout 0.5 left on",
        summary: "Half of the features dropped at each step",
        sees: "The loss is a little higher in training than in inference.",
        does: "Enough features remain, so the images are still memorised.",
        mends: "Switch dropout off to test memorising.",
        level: Level::Memorised,
        healthy: &[("training.epochs", "200")],
        mistake: &[(
            "network.layers",
            r#"[{"type":"conv2d","filters":32,"activation":"relu"},{"type":"max_pool"},{"type":"flatten"},{"type":"dropout","rate":0.5},{"type":"dense","units":2,"activation":"softmax"}]"#,
        )],
    },
    Cause {
        code: "dropout-strong",
        sign: "dropout-on",
        name: "Dropout 0.9 left on",
        summary: "Nine of ten units dropped, in two layers",
        sees: "Training accuracy stays near chance.",
        does: "Each step trains another tenth of each layer: the loss stays near ln 10 = 2.3026.",
        mends: "Switch dropout off to test memorising.",
        level: Level::Within(2.2, 2.4),
        healthy: &[
            ("dataset.classes", "10"),
            ("network.layers", ten_classes!(concat!(dense_64!(), dense_64!()))),
            ("training.epochs", "200"),
        ],
        mistake: &[(
            "network.layers",
            ten_classes!(concat!(dense_64!(), dropout_90!(), dense_64!(), dropout_90!())),
        )],
    },
    Cause {
        code: "weight-decay",
        sign: "weight-decay-on",
        name: "Weight decay 0.1 left on",
        summary: "AdamW with weight_decay=0.1",
        sees: "Training looks normal.",
        does: "At a rate of 0.001 each step takes one ten-thousandth off the weights, so the images are still memorised.",
        mends: "Switch weight decay off to test memorising.",
        level: Level::Memorised,
        healthy: &[
            ("training.optimizer", "adamw"),
            ("training.optimizer.weight_decay", "0"),
            ("training.epochs", "200"),
        ],
        mistake: &[("training.optimizer.weight_decay", "0.1")],
    },
];
