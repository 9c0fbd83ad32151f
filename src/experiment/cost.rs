//! The arithmetic of an epoch and its rough duration, from the configuration alone.

use super::{Experiment, number_text};

/// Multiply-adds per second of a usual computer, in one thread of its browser. Measured machines reach 10 to 28 thousand million.
const USUAL_SPEED: f64 = 10e9;
/// Nanoseconds that one number of a layer's output costs besides multiply-adds, because it is written, read, and has a gradient.
const NANOSECONDS_PER_NUMBER: f64 = 5.0;
/// A longer epoch is announced before the run.
const LONG_EPOCH_SECONDS: f64 = 10.0;

/// The amount of computation in one epoch of an experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochCost {
    /// The multiply-adds of the layers with kernels, by the definition of each layer: forward, for the gradient of the kernel, and
    /// except in the first such layer for the gradient of the input.
    pub multiply_adds: f64,
    /// The number of outputs of all layers.
    pub numbers: f64,
}

impl EpochCost {
    /// The cost of an experiment whose layers fit.
    pub fn of(experiment: &Experiment) -> Self {
        let shapes =
            super::layer_shapes(&experiment.network, &experiment.dataset).unwrap_or_default();
        // The images have no gradient, so the first layer with a kernel has two passes.
        let mut passes = 2.0;
        let (mut multiply_adds, mut numbers) = (0.0, 0.0);
        for (layer, shape) in experiment.network.layers.iter().zip(&shapes) {
            let output = shape.output.size() as f64;
            numbers += output;
            if let Some(fans) = layer.fans(shape.input) {
                multiply_adds += passes * fans.inputs * output;
                passes = 3.0;
            }
        }
        let images = f64::from(experiment.dataset.images);
        Self { multiply_adds: images * multiply_adds, numbers: images * numbers }
    }

    /// The seconds of an epoch on a usual computer. A run may take half as long or three times as long.
    pub fn seconds(&self) -> f64 {
        self.multiply_adds / USUAL_SPEED + self.numbers * NANOSECONDS_PER_NUMBER * 1e-9
    }

    /// A sentence on the time of an epoch, where that is long.
    pub fn slow_note(&self) -> Option<String> {
        let seconds = self.seconds();
        (seconds > LONG_EPOCH_SECONDS)
            .then(|| format!("An epoch takes about {} on a usual computer.", rounded(seconds)))
    }
}

/// A duration with one significant digit.
fn rounded(seconds: f64) -> String {
    let (count, unit) = match seconds {
        ..90.0 => (seconds, "s"),
        ..5400.0 => (seconds / 60.0, "min"),
        _ => (seconds / 3600.0, "h"),
    };
    let digit = 10f64.powf(count.log10().floor());
    format!("{} {unit}", number_text((count / digit).round() * digit))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn multiply_adds_are_counted_by_pass() {
        let experiment = Experiment::default();
        // Example 1 has 3 x 3 x 3 inputs for each of 62 x 62 x 32 outputs, in two passes, and 30752 inputs for 2 outputs, in three.
        let convolution = 2.0 * 27.0 * 62.0 * 62.0 * 32.0;
        let dense = 3.0 * 31.0 * 31.0 * 32.0 * 2.0;
        let cost = EpochCost::of(&experiment);
        assert_eq!(cost.multiply_adds, 20.0 * (convolution + dense));
        assert_eq!(cost.slow_note(), None);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_long_epoch_is_told_with_one_digit() {
        let told = |multiply_adds| EpochCost { multiply_adds, numbers: 0.0 }.slow_note();
        let rows = [
            (1.2e11, "10 s"),
            (4.4e11, "40 s"),
            (1.2e12, "2 min"),
            (3.2e13, "50 min"),
            (9e13, "3 h"),
        ];
        assert_eq!(told(0.9e11), None);
        for (multiply_adds, duration) in rows {
            let note = format!("An epoch takes about {duration} on a usual computer.");
            assert_eq!(told(multiply_adds), Some(note));
        }
    }
}
