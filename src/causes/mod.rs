//! Signs of mistakes in an experiment: what a framework accepts and a person would want to know. The experiment trains as it is
//! written; a warning only says what comes of it and what belongs there.

mod heads;
mod setup;

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::Experiment;

/// Something that is allowed and most likely a mistake, or in the way of this check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Warning {
    /// The path of the field to change.
    pub field: String,
    /// What it does, and what belongs there.
    pub message: String,
}

/// The warnings of a valid experiment.
pub fn warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut warnings = setup::data_warnings(experiment);
    warnings.extend(setup::layer_warnings(experiment));
    warnings.extend(heads::head_warnings(experiment));
    warnings.extend(setup::training_warnings(experiment));
    warnings.extend(setup::loop_warnings(experiment));
    // What is so of several layers is said of the first.
    let mut said = Vec::new();
    warnings.retain(|warning| {
        let is_new = !said.contains(&warning.message);
        said.push(warning.message.clone());
        is_new
    });
    warnings
}
