//! An experiment as a Keras script that does the same.

mod layers;
mod loss;
mod optimizer;
mod training;

use super::data;
use super::text::Script;
use crate::experiment::{Experiment, LayerConfig};

/// The lines of the script. It runs without changes in Keras 3.
pub fn lines(experiment: &Experiment) -> Vec<String> {
    let mut script = Script::default();
    let own_step = training::needs_own_step(experiment);
    if training::schedule_of_new_optimizers(experiment) {
        script.line("import itertools");
        script.line("");
    }
    script.line("import keras");
    script.line("import numpy as np");
    if own_step {
        script.line("import tensorflow as tf");
    }
    script.line("");
    script.line("# Keras draws different images from this seed; the experiment is the same.");
    script.add(format_args!("keras.utils.set_random_seed({})", experiment.seed));
    let layers = &experiment.network.layers;
    if layers.iter().any(|layer| matches!(layer, LayerConfig::LocallyConnected { .. })) {
        script.define(layers::LOCALLY_CONNECTED);
    }
    data::define_altered(&mut script, &experiment.training.augmentation);
    if own_step {
        training::define_own_step(&mut script, experiment);
    }
    data::draw(&mut script, experiment);
    let targets = loss::targets(&mut script, experiment);
    script.gap();
    layers::model(&mut script, experiment);
    training::train(&mut script, experiment, targets);
    script.line("");
    script.add(format_args!("loss, accuracy = model.evaluate(images, {targets})"));
    script.add(format_args!(
        "print(f\"Training accuracy after {} epochs: {{accuracy:.4f}}\")",
        training::epochs(experiment)
    ));
    script.line("print(f\"Loss: {loss:.6f}\")");
    script.0
}
