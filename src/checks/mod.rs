//! What came of every preset's scripts where they were run: in Keras, in PyTorch, and here. `cargo xtask frameworks` writes it.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// All presets over the same number of seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
#[tsify(missing_as_null)]
pub struct Checks {
    /// Its version.
    pub keras: String,
    /// Its version.
    pub pytorch: String,
    pub seeds: u32,
    pub rows: Vec<Check>,
}

/// One preset, or its mended twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
#[tsify(missing_as_null)]
pub struct Check {
    /// Its id.
    pub preset: String,
    /// Whether it is the twin without the mistake.
    pub mended: bool,
    pub here: Tally,
    pub keras: Tally,
    pub pytorch: Tally,
}

/// What came of it, over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
#[tsify(missing_as_null)]
pub struct Tally {
    /// Runs with every image right at the end.
    pub memorised: u32,
    /// The final loss of the run in the middle, in nats; null where it is not a number.
    pub loss: Option<f64>,
}

/// As it was last checked.
pub fn checks() -> Checks {
    serde_json::from_str(include_str!("outcomes.json")).expect("a file of this crate")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_row_is_of_a_preset() {
        for row in checks().rows {
            let preset = presets::preset(&row.preset).unwrap_or_else(|| panic!("{}", row.preset));
            assert!(!row.mended || preset.mistake.is_some(), "{}", row.preset);
        }
    }
}
