//! The results of every preset's scripts in Keras and PyTorch, beside those here. `cargo xtask frameworks` writes them.

use serde::Serialize;
use tsify::Tsify;

use crate::from_json::FromJson;

/// The results of all presets over the same number of seeds.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[tsify(missing_as_null)]
pub struct Checks {
    /// The version of Keras.
    pub keras: String,
    /// The version of PyTorch.
    pub pytorch: String,
    pub seeds: u32,
    pub rows: Vec<Check>,
}

/// The results of one preset, or of its twin without the mistake.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[tsify(missing_as_null)]
pub struct Check {
    /// The preset's id.
    pub preset: String,
    /// Whether these are the results of the twin without the mistake.
    pub mended: bool,
    pub here: Tally,
    pub keras: Tally,
    pub pytorch: Tally,
}

/// The results of one experiment over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[tsify(missing_as_null)]
pub struct Tally {
    /// The number of runs with every image right at the end.
    pub memorised: u32,
    /// The median final loss, in nats; `None` where it is not a finite number.
    pub loss: Option<f64>,
}

/// The results of the last check.
pub fn checks() -> Checks {
    let value = serde_json::from_str(include_str!("outcomes.json")).expect("a file of this crate");
    Checks::read(&value).expect("the results of every preset")
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
