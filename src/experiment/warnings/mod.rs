//! What a framework accepts and a person would want to know. It is trained as it is written; this only says what comes of it and
//! what belongs there.

mod heads;
mod setup;

use serde::Serialize;
use tsify::Tsify;

use super::Experiment;

/// Something that is allowed and most likely a mistake, or in the way of this check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Warning {
    /// The path of the field to change.
    pub field: String,
    /// What it does, and what belongs there.
    pub message: String,
}

impl Experiment {
    /// Expects a valid experiment.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.data_warnings();
        warnings.extend(self.layer_warnings());
        warnings.extend(self.head_warnings());
        warnings.extend(self.training_warnings());
        warnings.extend(self.loop_warnings());
        // What is so of several layers is said of the first.
        let mut said = Vec::new();
        warnings.retain(|warning| {
            let is_new = !said.contains(&warning.message);
            said.push(warning.message.clone());
            is_new
        });
        warnings
    }
}
