//! Draws the initial values of weights.

use crate::experiment::{Distribution, Fans, KernelInitializer};
use crate::seeding::normal_pair;

/// `count` numbers for a kernel. `window` is the shape that gives the fans: height and width of the kernel if it has any, then
/// inputs and outputs. `uniform` draws from [0, 1).
pub fn kernel(
    initializer: &KernelInitializer,
    window: &[usize],
    count: usize,
    uniform: impl FnMut() -> f32,
) -> Vec<f32> {
    draw(initializer.distribution(Fans::of(window)), count, uniform)
}

/// `count` numbers from a distribution.
pub fn draw(
    distribution: Distribution,
    count: usize,
    mut uniform: impl FnMut() -> f32,
) -> Vec<f32> {
    match distribution {
        Distribution::Uniform { limit } => {
            let limit = limit as f32;
            (0..count).map(|_| (2.0 * uniform() - 1.0) * limit).collect()
        }
        Distribution::Normal { stddev } => normal(count, stddev, f64::INFINITY, uniform),
        Distribution::TruncatedNormal { stddev } => normal(count, stddev, 2.0, uniform),
        Distribution::Constant { value } => vec![value as f32; count],
    }
}

/// Normal numbers, with those beyond `most` standard deviations drawn again.
fn normal(count: usize, stddev: f64, most: f64, mut uniform: impl FnMut() -> f32) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let drawn = normal_pair(&mut uniform).into_iter().filter(|value| value.abs() <= most);
        values.extend(drawn.map(|value| (value * stddev) as f32));
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use wasm_bindgen_test::*;

    use super::*;
    use crate::seeding::{Purpose, stream};

    /// The mean, variance and largest magnitude of many drawn numbers.
    fn moments(initializer: KernelInitializer, window: &[usize]) -> [f64; 3] {
        const COUNT: usize = 40_000;
        let mut generator = stream(1, Purpose::Weights { layer: 0 });
        let values = kernel(&initializer, window, COUNT, || generator.random());
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / COUNT as f64;
        let spread = values.iter().map(|&value| (f64::from(value) - mean).powi(2));
        let largest = values.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
        [mean, spread.sum::<f64>() / COUNT as f64, f64::from(largest)]
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn numbers_have_the_variance_of_their_rule() {
        // A 3 x 3 kernel with 4 channels and 8 filters has the fans 36 and 72.
        let rows = [
            (KernelInitializer::GlorotUniform {}, 2.0 / 108.0, 3_f64.sqrt()),
            (KernelInitializer::HeUniform {}, 2.0 / 36.0, 3_f64.sqrt()),
            (KernelInitializer::LecunUniform {}, 1.0 / 36.0, 3_f64.sqrt()),
            (
                KernelInitializer::GlorotNormal {},
                2.0 / 108.0,
                2.0 / Distribution::CUT_OFF_DEVIATION,
            ),
            (KernelInitializer::HeNormal {}, 2.0 / 36.0, 2.0 / Distribution::CUT_OFF_DEVIATION),
            (KernelInitializer::LecunNormal {}, 1.0 / 36.0, 2.0 / Distribution::CUT_OFF_DEVIATION),
            (KernelInitializer::PytorchDefault {}, 1.0 / 108.0, 3_f64.sqrt()),
            (KernelInitializer::RandomUniform { limit: 0.3 }, 0.03, 3_f64.sqrt()),
            (
                KernelInitializer::TruncatedNormal { stddev: 0.5 },
                (0.5 * Distribution::CUT_OFF_DEVIATION).powi(2),
                2.0 / Distribution::CUT_OFF_DEVIATION,
            ),
        ];
        for (initializer, variance, most) in rows {
            let [mean, found, largest] = moments(initializer, &[3, 3, 4, 8]);
            let deviation: f64 = f64::sqrt(variance);
            // Four standard errors of 40,000 numbers.
            assert!(mean.abs() < 0.02 * deviation, "{initializer:?}: mean {mean}");
            assert!((found / variance - 1.0).abs() < 0.03, "{initializer:?}: variance {found}");
            assert!(largest <= most * deviation * 1.000_001, "{initializer:?}: {largest}");
            assert!(largest > 0.99 * most * deviation, "{initializer:?}: {largest}");
        }
        let constant = moments(KernelInitializer::Constant { value: 0.5 }, &[4, 2]);
        assert_eq!(constant, [0.5, 0.0, 0.5]);
        assert_eq!(moments(KernelInitializer::Zeros {}, &[4, 2]), [0.0; 3]);
    }
}
