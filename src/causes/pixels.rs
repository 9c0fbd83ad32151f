//! Pixels that are far from 0 to 1, and images that do not differ.

use super::{Cause, Level, Warning};
use crate::experiment::{Experiment, Pixels, number_text};

/// A largest pixel above this magnitude gives a warning.
const LARGE_PIXEL: f64 = 10.0;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    [too_large(experiment), alike(experiment)].into_iter().flatten().collect()
}

fn too_large(experiment: &Experiment) -> Option<Warning> {
    let data = &experiment.dataset;
    let ends = [data.shift, data.scale + data.shift];
    let largest = ends.iter().fold(0.0, |most: f64, end| most.max(end.abs()));
    let warning = || {
        let [from, to] = ends.map(number_text);
        let message = format!(
            "Pixels lie between {from} and {to}: the first steps are up to {} times too large and may kill every ReLU. Scale the pixels to about 0 to 1.",
            number_text(largest)
        );
        Warning::new("pixels-too-large", "dataset.scale", message).mended(experiment, |mended| {
            mended.dataset.scale = 1.0;
            mended.dataset.shift = 0.0;
        })
    };
    (largest > LARGE_PIXEL).then(warning)
}

fn alike(experiment: &Experiment) -> Option<Warning> {
    let data = &experiment.dataset;
    let are_alike = (data.pixels == Pixels::Constant || data.scale == 0.0) && data.images > 1;
    let message = "Every image is the same: only the shares of the classes can be learnt, and the loss stops at the entropy of the labels.";
    are_alike.then(|| {
        Warning::new("images-alike", "dataset.pixels", message).mended(experiment, |mended| {
            if mended.dataset.pixels == Pixels::Constant {
                mended.dataset.pixels = Pixels::Uniform;
            }
            if mended.dataset.scale == 0.0 {
                mended.dataset.scale = 1.0;
            }
        })
    })
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "pixels-255-sgd",
        sign: "pixels-too-large",
        name: "Pixels 0 to 255, SGD",
        summary: "Images as bytes, not divided by 255",
        sees: "The loss starts in the tens or hundreds, drops within a few epochs and then never changes.",
        does: "The first steps are so large that every ReLU dies: the loss is ln 2 = 0.6931, that of an even guess between two classes.",
        mends: "Divide the pixels by 255.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[
            ("training.optimizer", "sgd"),
            ("training.learning_rate", "0.05"),
            ("training.epochs", "300"),
        ],
        mistake: &[("dataset.scale", "255")],
    },
    Cause {
        code: "pixels-255-adam",
        sign: "pixels-too-large",
        name: "Pixels 0 to 255, Adam",
        summary: "Images as bytes, not divided by 255, with Adam",
        sees: "The loss starts in the tens or hundreds and then falls to 0.",
        does: "Adam's steps do not grow with the gradient, so the images are still memorised. Only the high first loss shows the mistake.",
        mends: "Divide the pixels by 255.",
        level: Level::Memorised,
        healthy: &[("training.epochs", "100")],
        mistake: &[("dataset.scale", "255")],
    },
    Cause {
        code: "same-image",
        sign: "images-alike",
        name: "The same image every time",
        summary: "A loader that always returns the first image",
        sees: "Accuracy stays at the share of the larger class from the first epochs on.",
        does: "Only the shares of the classes can be learnt: the loss falls to the entropy of the labels and stops there.",
        mends: "Look at a batch and make sure that its images differ.",
        level: Level::AtTheirEntropy,
        healthy: &[("dataset.labels", "random"), ("training.epochs", "200")],
        mistake: &[("dataset.pixels", "constant")],
    },
];
