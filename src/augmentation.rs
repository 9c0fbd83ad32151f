//! Augmentation: each epoch flips, rotates, crops, shifts and brightens images and adds noise, in this order. Each image of each
//! epoch has its own random stream.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::dataset::{Dataset, ImageSize};
use crate::experiment::AugmentationConfig;
use crate::kernels::lanes::Instructions;
use crate::kernels::normal;
use crate::kernels::sample::{Source, sample};
use crate::seeding::{Purpose, fill_uniform, stream};

/// The alteration of one image, except its noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alteration {
    pub horizontal_flip: bool,
    pub vertical_flip: bool,
    /// The angle in degrees, counterclockwise.
    pub rotation: f64,
    pub crop: Crop,
    pub shift: Shift,
    pub brightness: f32,
}

/// The part of an image that is kept, in pixels. It is stretched to the size of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    pub top: usize,
    pub left: usize,
    pub size: ImageSize,
}

/// The distance by which an image moves, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub down: i32,
    pub right: i32,
}

impl Alteration {
    pub fn none(size: ImageSize) -> Self {
        Self {
            horizontal_flip: false,
            vertical_flip: false,
            rotation: 0.0,
            crop: Crop { top: 0, left: 0, size },
            shift: Shift { down: 0, right: 0 },
            brightness: 0.0,
        }
    }

    /// Draws an alteration. The number of draws is always the same, so that one strength does not change the effect of another.
    fn draw(config: &AugmentationConfig, size: ImageSize, generator: &mut ChaCha8Rng) -> Self {
        let mut draw = || generator.random::<f64>();
        let [horizontal, vertical] = [draw() < 0.5, draw() < 0.5];
        // Uniform between minus and plus the strength.
        let rotation = (2.0 * draw() - 1.0) * config.rotation;
        let share = 1.0 - draw() * config.crop;
        let kept = |side: usize| (side as f64 * share).round().max(1.0) as usize;
        let kept = ImageSize { height: kept(size.height), width: kept(size.width) };
        let mut place = |side: usize, kept: usize| (draw() * (side - kept + 1) as f64) as usize;
        let crop = Crop {
            top: place(size.height, kept.height),
            left: place(size.width, kept.width),
            size: kept,
        };
        let mut shift = |side: usize| {
            let most = config.shift * side as f64;
            ((2.0 * draw() - 1.0) * most).round() as i32
        };
        let shift = Shift { down: shift(size.height), right: shift(size.width) };
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
    /// - image: `[height, width, channels]`
    pub fn apply(&self, image: &mut [f32], size: ImageSize) {
        let ImageSize { height, width } = size;
        let channels = image.len() / size.pixels();
        let row = width * channels;
        if self.horizontal_flip {
            for row in image.chunks_exact_mut(row) {
                for column in 0..width / 2 {
                    let [left, right] = [column, width - 1 - column].map(|at| at * channels);
                    // Values one by one: a call for each pixel costs more than its few channels.
                    (0..channels).for_each(|channel| row.swap(left + channel, right + channel));
                }
            }
        }
        if self.vertical_flip {
            let (above, below) = image.split_at_mut(height / 2 * row);
            let below = &mut below[height % 2 * row..];
            for (above, below) in above.chunks_exact_mut(row).zip(below.rchunks_exact_mut(row)) {
                above.swap_with_slice(below);
            }
        }
        if self.rotation != 0.0 {
            sample(image, [height, width], Source::Turned { radians: self.rotation.to_radians() });
        }
        let Crop { top, left, size: kept } = self.crop;
        if kept != size {
            let kept = [kept.height, kept.width];
            sample(image, [height, width], Source::Cropped { top, left, kept });
        }
        let Shift { down, right } = self.shift;
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

/// Moves the parts of a slice, each of `size` floats, to later places, or to earlier ones where `places` is negative. Zeros fill
/// the places that they leave.
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

/// The augmented images of an epoch, which is counted from 1.
pub fn altered(config: &AugmentationConfig, dataset: &Dataset, seed: u32, epoch: u32) -> Vec<f32> {
    let mut all = dataset.images.clone();
    let size = all.len() / dataset.len();
    let mut uniforms = vec![0.0; size.next_multiple_of(2)];
    for (number, image) in all.chunks_exact_mut(size).enumerate() {
        let purpose = Purpose::Augmentation { epoch, image: number as u32 };
        let mut generator = stream(seed, purpose);
        Alteration::draw(config, dataset.size, &mut generator).apply(image, dataset.size);
        if config.noise != 0.0 {
            fill_uniform(&mut generator, &mut uniforms);
            normal::add(&uniforms, config.noise, image, Instructions::best());
        }
    }
    all
}

/// The mixup of a step, which is counted from 1: the share that each image keeps of itself, at least half, and for each image of
/// the batch the index of the image that is mixed in.
pub fn mixup(alpha: f64, images: usize, seed: u32, step: u64) -> (f64, Vec<u32>) {
    let mut generator = stream(seed, Purpose::Mixup { step });
    // Jöhnk's method for a beta distribution with both parameters alpha.
    let share = loop {
        let [u, v] = [0, 1].map(|_| generator.random::<f64>());
        let [x, y] = [u, v].map(|number| number.powf(1.0 / alpha));
        if x + y <= 1.0 && u + v > 0.0 {
            // With a small alpha both powers are 0 nearly always, but their ratio is a number.
            break if x + y > 0.0 { x / (x + y) } else { 1.0 / (1.0 + (v / u).powf(1.0 / alpha)) };
        }
    };
    let mut others: Vec<u32> = (0..images as u32).collect();
    others.shuffle(&mut generator);
    (share.max(1.0 - share), others)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets;

    const SQUARE: ImageSize = ImageSize { height: 4, width: 4 };

    /// An image of one channel with the pixels 0, 1, 2, ..
    fn image(size: ImageSize) -> Vec<f32> {
        (0..size.pixels()).map(|value| value as f32).collect()
    }

    fn altered_image(alteration: Alteration, mut image: Vec<f32>, size: ImageSize) -> Vec<f32> {
        alteration.apply(&mut image, size);
        image
    }

    fn check<const HEIGHT: usize, const WIDTH: usize>(
        alteration: Alteration,
        expected: [[f32; WIDTH]; HEIGHT],
    ) {
        let size = ImageSize { height: HEIGHT, width: WIDTH };
        let found = altered_image(alteration, image(size), size);
        for (at, (found, expected)) in found.iter().zip(expected.as_flattened()).enumerate() {
            assert!((found - expected).abs() < 1e-5, "{alteration:?}, {at}: {found}, {expected}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn alterations_worked_by_hand() {
        let none = Alteration::none(SQUARE);
        let unchanged =
            [[0., 1., 2., 3.], [4., 5., 6., 7.], [8., 9., 10., 11.], [12., 13., 14., 15.]];
        check(none, unchanged);
        check(
            Alteration { horizontal_flip: true, ..none },
            unchanged.map(|[a, b, c, d]| [d, c, b, a]),
        );
        let [a, b, c, d] = unchanged;
        check(Alteration { vertical_flip: true, ..none }, [d, c, b, a]);
        // Down by one, left by two.
        check(
            Alteration { shift: Shift { down: 1, right: -2 }, ..none },
            [[0.; 4], [2., 3., 0., 0.], [6., 7., 0., 0.], [10., 11., 0., 0.]],
        );
        // A quarter turn counterclockwise: the last column becomes the first row.
        check(
            Alteration { rotation: 90.0, ..none },
            [[3., 7., 11., 15.], [2., 6., 10., 14.], [1., 5., 9., 13.], [0., 4., 8., 12.]],
        );
        // The middle four pixels at twice their size. The first row is 5, a quarter and three quarters of the way to 6, then 6.
        let half = ImageSize { height: 2, width: 2 };
        let row = |first: f32| [first, first + 0.25, first + 0.75, first + 1.0];
        check(
            Alteration { crop: Crop { top: 1, left: 1, size: half }, ..none },
            [row(5.), row(6.), row(8.), row(9.)],
        );
        check(Alteration { brightness: 0.5, ..none }, unchanged.map(|row| row.map(|v| v + 0.5)));
        // An eighth of a turn. At y and x from the centre the image is 7.5 + 4 y + x, and a pixel whose source lies inside takes
        // that value of its source. The source of a corner lies 1.5 √2 from the centre, outside the middle of an edge: the corner
        // takes a share of the edge's value, and the rest of it is 0.
        let places = [-1.5, -0.5, 0.5, 1.5];
        let inside = |y: f32, x: f32| 7.5 + FRAC_1_SQRT_2 * (4.0 * (y + x) + (x - y));
        let mut turned = places.map(|y| places.map(|x| inside(y, x)));
        let share_inside = 1.0 - (1.5 * SQRT_2 - 1.5);
        for ([row, column], edge) in [([0, 0], 1.5), ([0, 3], 9.0), ([3, 0], 6.0), ([3, 3], 13.5)] {
            turned[row][column] = share_inside * edge;
        }
        check(Alteration { rotation: 45.0, ..none }, turned);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn alterations_of_an_image_that_is_not_square() {
        let none = Alteration::none(ImageSize { height: 2, width: 4 });
        check(Alteration { horizontal_flip: true, ..none }, [[3., 2., 1., 0.], [7., 6., 5., 4.]]);
        check(Alteration { vertical_flip: true, ..none }, [[4., 5., 6., 7.], [0., 1., 2., 3.]]);
        let shift = Shift { down: -1, right: 3 };
        check(Alteration { shift, ..none }, [[0., 0., 0., 4.], [0.; 4]]);
        check(Alteration { rotation: 180.0, ..none }, [[7., 6., 5., 4.], [3., 2., 1., 0.]]);
        // A quarter turn counterclockwise about the centre: the middle columns become the rows, and the outer columns leave the
        // image.
        check(Alteration { rotation: 90.0, ..none }, [[0., 2., 6., 0.], [0., 1., 5., 0.]]);
        // Half of each side: the middle two pixels of the lower row at twice their size.
        let crop = Crop { top: 1, left: 1, size: ImageSize { height: 1, width: 2 } };
        check(Alteration { crop, ..none }, [[5., 5.25, 5.75, 6.]; 2]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn channels_move_together() {
        let two: Vec<f32> = image(SQUARE).into_iter().flat_map(|value| [value, -value]).collect();
        let alteration = Alteration {
            rotation: 20.0,
            crop: Crop { top: 0, left: 1, size: ImageSize { height: 3, width: 3 } },
            shift: Shift { down: 1, right: 0 },
            horizontal_flip: true,
            ..Alteration::none(SQUARE)
        };
        let both = altered_image(alteration, two, SQUARE);
        let one = altered_image(alteration, image(SQUARE), SQUARE);
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
        let size = ImageSize { height: 8, width: 20 };
        let mut seen = [0.0_f64; 5];
        for image in 0..200 {
            let draw = |config| {
                let purpose = Purpose::Augmentation { epoch: 1, image };
                Alteration::draw(config, size, &mut stream(1, purpose))
            };
            let (one, other) = (draw(&full), draw(&weaker));
            assert_eq!((one.shift, one.crop), (other.shift, other.crop));
            let Shift { down, right } = one.shift;
            assert!(down.abs() <= 2 && right.abs() <= 5, "{one:?}");
            assert!(one.rotation.abs() <= 30.0 && other.brightness.abs() <= 0.3);
            let Crop { top, left, size: ImageSize { height, width } } = one.crop;
            assert!((4..=8).contains(&height) && (10..=20).contains(&width), "{one:?}");
            assert!(top + height <= 8 && left + width <= 20, "{one:?}");
            // Both sides keep the same share, to the pixel.
            assert!((width as f64 - 2.5 * height as f64).abs() <= 1.75, "{one:?}");
            assert!(!one.horizontal_flip && !one.vertical_flip);
            let lost = [8 - height, 20 - width].map(|pixels| pixels as f64);
            let [down, right] = [down, right].map(|shift| f64::from(shift.abs()));
            let sizes = [down, right, one.rotation.abs(), lost[0], lost[1]];
            seen = std::array::from_fn(|at| seen[at].max(sizes[at]));
        }
        let [down, right, rotation, rows, columns] = seen;
        assert_eq!([down, right, rows, columns], [2.0, 5.0, 4.0, 10.0]);
        assert!(rotation > 27.0, "{rotation}");
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
    fn mixup_with_any_alpha_is_drawn_at_once() {
        for alpha in [1e-3, 1e-10, 1e-17, 1e-300, 5e-324] {
            let shares: Vec<f64> = (1..=500).map(|step| mixup(alpha, 5, 1, step).0).collect();
            assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)), "{alpha}");
            assert!(shares.iter().sum::<f64>() / 500.0 > 0.99, "{alpha}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn mixup_keeps_at_least_half() {
        for alpha in [0.1, 1.0] {
            let shares: Vec<f64> = (1..=500).map(|step| mixup(alpha, 5, 1, step).0).collect();
            assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)));
            // max(x, 1 - x) of a uniform x is 0.75 on average. With alpha 0.1 most x lie near 0 or 1.
            let mean = shares.iter().sum::<f64>() / 500.0;
            let expected = if alpha == 1.0 { 0.75 } else { 0.955 };
            assert!((mean - expected).abs() < 0.03, "{alpha}: {mean}");
        }
        let (_, mut others) = mixup(0.5, 5, 1, 1);
        others.sort();
        assert_eq!(others, [0, 1, 2, 3, 4]);
    }
}
