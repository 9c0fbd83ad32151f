//! What people report when their network does not memorise a few images, each with what it does and what mends it.
//! `tests/presets.rs` holds each to what it says, over seeds.

mod data;
mod heads;
mod loops;
mod training;

use super::parts::{experiment, small_network};
use super::{Mistake, Preset, PresetGroup};
use crate::experiment::{Activation, Experiment, Labels, OptimizerConfig};

const RELU: Option<Activation> = Some(Activation::Relu);
const SIGMOID: Option<Activation> = Some(Activation::Sigmoid);

/// The side of the images: small, for these are many.
const SIDE: u32 = 32;

/// By what they are a mistake of.
pub fn presets() -> Vec<Preset> {
    [data::presets(), heads::presets(), training::presets(), loops::presets()].concat()
}

/// What a preset says of a mistake: what a person sees, what it does to the loss, what mends it.
struct Words {
    id: &'static str,
    name: &'static str,
    summary: &'static str,
    sees: &'static str,
    does: &'static str,
    mends: &'static str,
}

/// A mistake made in an experiment that memorises without it.
fn mistake(words: Words, mended: Experiment, make: impl FnOnce(&mut Experiment)) -> Preset {
    let mut experiment = mended.clone();
    make(&mut experiment);
    preset(words, false, experiment, mended)
}

/// A mistake with which it memorises all the same.
fn hidden(words: Words, mended: Experiment, make: impl FnOnce(&mut Experiment)) -> Preset {
    let mut experiment = mended.clone();
    make(&mut experiment);
    preset(words, true, experiment, mended)
}

fn preset(words: Words, hidden: bool, experiment: Experiment, mended: Experiment) -> Preset {
    let Words { id, name, summary, sees, does, mends } = words;
    let mistake = Some(Mistake { sees, does, mends, hidden, mended });
    Preset { id, group: PresetGroup::Mistakes, name, summary, experiment, mistake }
}

/// Example 1 on small images, as many of one class as of the other.
fn small(epochs: u32) -> Experiment {
    balanced(experiment(SIDE, small_network(), OptimizerConfig::ADAM, 0.001, epochs))
}

/// What knows nothing then ends at ln K exactly.
fn balanced(mut experiment: Experiment) -> Experiment {
    experiment.dataset.labels = Labels::Balanced;
    experiment
}
