//! Labels that contradict each other, or belong to other images.

use super::{Cause, Level, NOT_REVEALED, Warning};
use crate::experiment::Experiment;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let all =
        [conflicting(experiment), flipped(experiment), rolled(experiment), shuffled(experiment)];
    all.into_iter().flatten().collect()
}

fn conflicting(experiment: &Experiment) -> Option<Warning> {
    let pairs = experiment.dataset.conflicting_pairs;
    let share = 2.0 * f64::from(pairs) / f64::from(experiment.dataset.images);
    let floor = share * std::f64::consts::LN_2;
    let (images, occur) = if pairs == 1 { ("image", "occurs") } else { ("images", "occur") };
    let message = format!(
        "{pairs} {images} {occur} twice, with different labels: no network can get both right, so the loss stays above ln 2 times the share of such images, {floor:.4}."
    );
    let field = "dataset.conflicting_pairs";
    (pairs > 0).then(|| Warning::new("conflicting-labels", field, message).cured_by(field, 0))
}

fn flipped(experiment: &Experiment) -> Option<Warning> {
    let message = format!("Some labels are wrong, but any labels can be memorised. {NOT_REVEALED}");
    let field = "dataset.flipped";
    (experiment.dataset.flipped > 0.0)
        .then(|| Warning::new("labels-flipped", field, message).cured_by(field, 0.0))
}

fn rolled(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.labels_rolled_by";
    let message = format!(
        "Each image has another image's label, but any labels can be memorised. {NOT_REVEALED}"
    );
    (experiment.training.training_loop.labels_rolled_by > 0)
        .then(|| Warning::new("labels-rolled", field, message).cured_by(field, 0))
}

fn shuffled(experiment: &Experiment) -> Option<Warning> {
    let field = "training.loop.labels_shuffled";
    let message = "Each step pairs images with labels at random: there is nothing to memorise.";
    experiment
        .training
        .training_loop
        .labels_shuffled
        .then(|| Warning::new("labels-shuffled", field, message).cured_by(field, false))
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "conflicting-labels",
        sign: "conflicting-labels",
        name: "One image, two labels",
        summary: "Five pairs of equal images, labelled 0 and 1",
        sees: "Accuracy stops at 75 %, and the loss at 0.3466.",
        does: "No network can get both right: each pair costs 2 ln 2, so the loss stays at ln 2 = 0.6931 times the share of such images, one half.",
        mends: "Remove duplicates, or give them the same label.",
        level: Level::StuckAt(std::f64::consts::LN_2 / 2.0),
        healthy: &[("training.epochs", "200")],
        mistake: &[("dataset.conflicting_pairs", "5")],
    },
    Cause {
        code: "labels-rolled",
        sign: "labels-rolled",
        name: "Labels shifted",
        summary: "Each image has the label of the third image before it",
        sees: "Training looks normal; only the answers for new images would be wrong.",
        does: "Noise can be memorised with any labels.",
        mends: "Shuffle images and labels in the same order.",
        level: Level::Memorised,
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.loop.labels_rolled_by", "3")],
    },
    Cause {
        code: "labels-shuffled",
        sign: "labels-shuffled",
        name: "Labels shuffled each step",
        summary: "Images and labels drawn in different orders",
        sees: "Accuracy wanders around chance, and the loss around ln 2 = 0.6931.",
        does: "Every step has other labels: the next step undoes the last one.",
        mends: "Draw each image together with its label.",
        level: Level::Within(0.5, 0.95),
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.loop.labels_shuffled", "true")],
    },
];
