//! Images altered anew in each epoch: flipped, turned, cropped, shifted, brightened, made noisy, in this order. Each image of
//! each epoch draws from a stream of its own.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::dataset::Dataset;
use crate::experiment::AugmentationConfig;
use crate::kernels::lanes::Instructions;
use crate::kernels::normal;
use crate::kernels::sample::{Source, sample};
use crate::seeding::{Purpose, fill_uniform, stream};

/// What is done to one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alteration {
    pub horizontal_flip: bool,
    pub vertical_flip: bool,
    /// In degrees, against the clock.
    pub rotation: f64,
    /// The first row and column that are kept, and how many.
    pub crop: [usize; 3],
    /// Pixels down and to the right.
    pub shift: [i32; 2],
    pub brightness: f32,
}

impl Alteration {
    pub fn none(side: usize) -> Self {
        Self {
            horizontal_flip: false,
            vertical_flip: false,
            rotation: 0.0,
            crop: [0, 0, side],
            shift: [0, 0],
            brightness: 0.0,
        }
    }

    /// Always the same number of draws, so that one strength does not change what another does.
    fn draw(config: &AugmentationConfig, side: usize, generator: &mut ChaCha8Rng) -> Self {
        let mut draw = || generator.random::<f64>();
        let [horizontal, vertical] = [draw() < 0.5, draw() < 0.5];
        // Within plus and minus the strength.
        let rotation = (2.0 * draw() - 1.0) * config.rotation;
        let kept = (side as f64 * (1.0 - draw() * config.crop)).round().max(1.0) as usize;
        let mut place = || (draw() * (side - kept + 1) as f64) as usize;
        let crop = [place(), place(), kept];
        let most = config.shift * side as f64;
        let mut shift = || ((2.0 * draw() - 1.0) * most).round() as i32;
        let shift = [shift(), shift()];
        Self {
            horizontal_flip: config.horizontal_flip && horizontal,
            vertical_flip: config.vertical_flip && vertical,
            rotation,
            crop,
            shift,
            brightness: ((2.0 * draw() - 1.0) * config.brightness) as f32,
        }
    }

    /// Alters an image in place.
    ///
    /// # Shapes
    /// - image: `[side, side, channels]`
    pub fn apply(&self, image: &mut [f32], side: usize) {
        let channels = image.len() / side / side;
        let row = side * channels;
        if self.horizontal_flip {
            for row in image.chunks_exact_mut(row) {
                row.reverse();
                // Each pixel's channels keep their order.
                row.chunks_exact_mut(channels).for_each(<[f32]>::reverse);
            }
        }
        if self.vertical_flip {
            let (above, below) = image.split_at_mut(side / 2 * row);
            let below = &mut below[side % 2 * row..];
            for (above, below) in above.chunks_exact_mut(row).zip(below.rchunks_exact_mut(row)) {
                above.swap_with_slice(below);
            }
        }
        if self.rotation != 0.0 {
            sample(image, side, Source::Turned { radians: self.rotation.to_radians() });
        }
        let [top, left, kept] = self.crop;
        if kept < side {
            sample(image, side, Source::Cropped { top, left, kept });
        }
        let [down, right] = self.shift;
        shift(image, row, down);
        for row in image.chunks_exact_mut(row) {
            shift(row, channels, right);
        }
        if self.brightness != 0.0 {
            for pixel in image {
                *pixel += self.brightness;
            }
        }
    }
}

/// Moves parts of a slice, each of so many floats, to later places, or to earlier ones; zeros come after them.
fn shift(parts: &mut [f32], size: usize, places: i32) {
    let floats = (places.unsigned_abs() as usize * size).min(parts.len());
    let kept = parts.len() - floats;
    if places > 0 {
        parts.copy_within(..kept, floats);
        parts[..floats].fill(0.0);
    } else if places < 0 {
        parts.copy_within(floats.., 0);
        parts[kept..].fill(0.0);
    }
}

/// All images of a dataset as an epoch, counted from 1, sees them.
pub fn altered(config: &AugmentationConfig, dataset: &Dataset, seed: u32, epoch: u32) -> Vec<f32> {
    let mut all = dataset.images.clone();
    let size = all.len() / dataset.len();
    let mut uniforms = vec![0.0; size.next_multiple_of(2)];
    for (number, image) in all.chunks_exact_mut(size).enumerate() {
        let purpose = Purpose::Augmentation { epoch, image: number as u32 };
        let mut generator = stream(seed, purpose);
        Alteration::draw(config, dataset.side, &mut generator).apply(image, dataset.side);
        if config.noise != 0.0 {
            fill_uniform(&mut generator, &mut uniforms);
            normal::add(&uniforms, config.noise, image, Instructions::best());
        }
    }
    all
}

/// What a step, counted from 1, mixes in: the share that each image keeps of itself, at least half, and for each image of the
/// batch the place of the other one.
pub fn mixup(alpha: f64, images: usize, seed: u32, step: u64) -> (f64, Vec<u32>) {
    let mut generator = stream(seed, Purpose::Mixup { step });
    // Jöhnk's method for a beta distribution with both parameters alpha.
    let share = loop {
        let [x, y] = [0, 1].map(|_| generator.random::<f64>().powf(1.0 / alpha));
        if x + y <= 1.0 && x + y > 0.0 {
            break x / (x + y);
        }
    };
    let mut others: Vec<u32> = (0..images as u32).collect();
    others.shuffle(&mut generator);
    (share.max(1.0 - share), others)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets;

    const SIDE: usize = 4;

    /// 4 x 4, one channel: 0 to 15.
    fn image() -> Vec<f32> {
        (0..16).map(|value| value as f32).collect()
    }

    fn altered_image(alteration: Alteration, mut image: Vec<f32>) -> Vec<f32> {
        alteration.apply(&mut image, SIDE);
        image
    }

    fn check(alteration: Alteration, expected: [[f32; 4]; 4]) {
        let found = altered_image(alteration, image());
        for (at, (found, expected)) in found.iter().zip(expected.as_flattened()).enumerate() {
            assert!((found - expected).abs() < 1e-5, "{alteration:?}, {at}: {found}, {expected}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn alterations_worked_by_hand() {
        let none = Alteration::none(SIDE);
        let as_it_is =
            [[0., 1., 2., 3.], [4., 5., 6., 7.], [8., 9., 10., 11.], [12., 13., 14., 15.]];
        check(none, as_it_is);
        check(
            Alteration { horizontal_flip: true, ..none },
            as_it_is.map(|[a, b, c, d]| [d, c, b, a]),
        );
        let [a, b, c, d] = as_it_is;
        check(Alteration { vertical_flip: true, ..none }, [d, c, b, a]);
        // Down by one, left by two.
        check(
            Alteration { shift: [1, -2], ..none },
            [[0.; 4], [2., 3., 0., 0.], [6., 7., 0., 0.], [10., 11., 0., 0.]],
        );
        // A quarter turn against the clock: the last column becomes the first row.
        check(
            Alteration { rotation: 90.0, ..none },
            [[3., 7., 11., 15.], [2., 6., 10., 14.], [1., 5., 9., 13.], [0., 4., 8., 12.]],
        );
        // The middle four pixels at twice their size: 5, then a quarter and three quarters of the way to 6, then 6.
        let row = |first: f32| [first, first + 0.25, first + 0.75, first + 1.0];
        check(Alteration { crop: [1, 1, 2], ..none }, [row(5.), row(6.), row(8.), row(9.)]);
        check(Alteration { brightness: 0.5, ..none }, as_it_is.map(|row| row.map(|v| v + 0.5)));
        // An eighth of a turn: the corner's neighbours come from outside, in proportion; the middle stays nearly where it was.
        let turned = altered_image(Alteration { rotation: 45.0, ..none }, image());
        assert!((turned.iter().take(1).sum::<f32>() - 0.0).abs() < 1.5, "{turned:?}");
        let middle: f32 = [5, 6, 9, 10].iter().map(|&at| turned[at]).sum();
        assert!((middle - 30.0).abs() < 1e-4, "{middle}");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn channels_move_together() {
        let two: Vec<f32> = image().into_iter().flat_map(|value| [value, -value]).collect();
        let alteration = Alteration {
            rotation: 20.0,
            crop: [0, 1, 3],
            shift: [1, 0],
            horizontal_flip: true,
            ..Alteration::none(SIDE)
        };
        let both = altered_image(alteration, two);
        let one = altered_image(alteration, image());
        assert!(both.chunks(2).zip(&one).all(|(pair, value)| pair == [*value, -*value]));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn strengths_bound_what_is_drawn_and_do_not_change_each_other() {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        for (field, value) in [("shift", "0.25"), ("crop", "0.5"), ("rotation", "30")] {
            experiment.set(&format!("training.augmentation.{field}"), value).unwrap();
        }
        let full = experiment.training.augmentation.clone();
        let weaker = AugmentationConfig { rotation: 0.0, brightness: 0.3, ..full.clone() };
        let mut seen = [0.0_f64; 3];
        for image in 0..200 {
            let draw = |config| {
                let purpose = Purpose::Augmentation { epoch: 1, image };
                Alteration::draw(config, 8, &mut stream(1, purpose))
            };
            let (one, other) = (draw(&full), draw(&weaker));
            assert_eq!((one.shift, one.crop), (other.shift, other.crop));
            assert!(one.shift.iter().all(|shift| shift.abs() <= 2), "{one:?}");
            assert!(one.rotation.abs() <= 30.0 && other.brightness.abs() <= 0.3);
            let [top, left, kept] = one.crop;
            assert!((4..=8).contains(&kept) && top + kept <= 8 && left + kept <= 8, "{one:?}");
            assert!(!one.horizontal_flip && !one.vertical_flip);
            let sizes = [f64::from(one.shift[0].abs()), one.rotation.abs(), (8 - kept) as f64];
            seen = std::array::from_fn(|at| seen[at].max(sizes[at]));
        }
        assert!(seen[0] == 2.0 && seen[1] > 27.0 && seen[2] == 4.0, "{seen:?}");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn epochs_and_images_differ_and_repeat() {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        experiment.set("dataset.side", "8").unwrap();
        experiment.set("training.augmentation.noise", "0.5").unwrap();
        let dataset = Dataset::of(&experiment);
        let config = &experiment.training.augmentation;
        let first = altered(config, &dataset, 1, 1);
        assert_eq!(first, altered(config, &dataset, 1, 1));
        assert_ne!(first, altered(config, &dataset, 1, 2));
        let noise: Vec<f32> = first.iter().zip(&dataset.images).map(|(a, b)| a - b).collect();
        let spread = noise.iter().map(|value| value * value).sum::<f32>() / noise.len() as f32;
        assert!((spread - 0.25).abs() < 0.02, "{spread}");
        assert_ne!(noise[..192], noise[192..384]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn mixup_keeps_at_least_half() {
        for alpha in [0.1, 1.0] {
            let shares: Vec<f64> = (1..=500).map(|step| mixup(alpha, 5, 1, step).0).collect();
            assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)));
            // max(x, 1 - x) of a uniform x is 0.75 on average; at 0.1 most mass lies near 0 and 1.
            let mean = shares.iter().sum::<f64>() / 500.0;
            let expected = if alpha == 1.0 { 0.75 } else { 0.955 };
            assert!((mean - expected).abs() < 0.03, "{alpha}: {mean}");
        }
        let (_, mut others) = mixup(0.5, 5, 1, 1);
        others.sort();
        assert_eq!(others, [0, 1, 2, 3, 4]);
    }
}
