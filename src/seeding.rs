//! Random streams from one seed: each purpose has its own stream, so that a change in one does not change the others.
//!
//! ChaCha8 and the numbers that `rand` draws from it are portable: the same seed gives the same bits in every browser and natively.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::kernels::lanes::Instructions;
use crate::kernels::random;

/// The purpose of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Images,
    Labels,
    /// The order of the images in each epoch.
    Order,
    /// The choice of wrong labels, and the classes that replace them.
    Flips,
    /// The patterns of images whose labels do not follow them.
    Pattern,
    /// The positions of marks on the images.
    Marks,
    /// The alteration of an image in an epoch, counted from 1.
    Augmentation {
        epoch: u32,
        image: u32,
    },
    /// The mixup of a step, counted from 1.
    Mixup {
        step: u64,
    },
    /// The order of the labels in a step, counted from 1.
    Shuffle {
        step: u64,
    },
    /// The initial kernel of the layer with this index. An added layer does not change the kernels before it.
    Weights {
        layer: usize,
    },
    /// The initial bias of the layer with this index, where biases are drawn.
    Biases {
        layer: usize,
    },
    /// The units that the dropout layer with this index drops in a step, counted from 1.
    Dropout {
        layer: usize,
        step: u64,
    },
}

/// The generator of one purpose under one seed.
pub fn stream(seed: u32, purpose: Purpose) -> ChaCha8Rng {
    let number = match purpose {
        Purpose::Images => 0,
        Purpose::Labels => 1,
        Purpose::Order => 2,
        Purpose::Flips => 3,
        Purpose::Pattern => 4,
        Purpose::Marks => 5,
        // Above the number of every layer. An experiment has at most 2,000 images, so the number of the epoch stays clear of them.
        Purpose::Augmentation { epoch, image } => {
            (u64::from(epoch) << 16) + 4096 + u64::from(image)
        }
        Purpose::Mixup { step } => (step << 16) + 6,
        Purpose::Shuffle { step } => (step << 16) + 7,
        Purpose::Weights { layer } => 1000 + layer as u64,
        Purpose::Biases { layer } => 3000 + layer as u64,
        Purpose::Dropout { layer, step } => (step << 16) + 2000 + layer as u64,
    };
    let mut generator = ChaCha8Rng::seed_from_u64(u64::from(seed));
    generator.set_stream(number);
    generator
}

/// Fills `to` with uniform numbers in [0, 1), the same that single calls of `random` would give.
pub fn fill_uniform(generator: &mut ChaCha8Rng, to: &mut [f32]) {
    let stream = random::Stream { key: generator.get_seed(), number: generator.get_stream() };
    let first = generator.get_word_pos();
    stream.uniforms(first as u64, to, Instructions::best());
    generator.set_word_pos(first + to.len() as u128);
}

/// Two independent normal numbers with mean 0 and deviation 1, from uniform numbers in [0, 1) by Box and Muller's method.
pub fn normal_pair(mut uniform: impl FnMut() -> f32) -> [f64; 2] {
    // 1 - u lies in (0, 1], so its logarithm is finite.
    let radius = (-2.0 * (1.0 - f64::from(uniform())).ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * f64::from(uniform())).sin_cos();
    [radius * cosine, radius * sine]
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn many_numbers_are_those_of_many_draws() {
        for (before, count) in [(0, 1001), (18, 64), (18, 0), (3, 130), (64, 1)] {
            let mut one_by_one = stream(3, Purpose::Mixup { step: 1 << 40 });
            let mut at_once = one_by_one.clone();
            for generator in [&mut one_by_one, &mut at_once] {
                (0..before).for_each(|_| _ = generator.random::<f32>());
            }
            let drawn: Vec<f32> = (0..count).map(|_| one_by_one.random()).collect();
            let mut filled = vec![0.0; count];
            fill_uniform(&mut at_once, &mut filled);
            assert_eq!(filled, drawn);
            assert_eq!(at_once.random::<f64>(), one_by_one.random::<f64>());
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn streams_are_repeatable_and_differ() {
        let draw = |seed, purpose| stream(seed, purpose).random::<f32>();
        assert_eq!(draw(1, Purpose::Images), draw(1, Purpose::Images));
        let others = [
            draw(2, Purpose::Images),
            draw(1, Purpose::Labels),
            draw(1, Purpose::Order),
            draw(1, Purpose::Flips),
            draw(1, Purpose::Pattern),
            draw(1, Purpose::Marks),
            draw(1, Purpose::Augmentation { epoch: 1, image: 0 }),
            draw(1, Purpose::Augmentation { epoch: 1, image: 1 }),
            draw(1, Purpose::Augmentation { epoch: 2, image: 0 }),
            draw(1, Purpose::Mixup { step: 1 }),
            draw(1, Purpose::Shuffle { step: 1 }),
            draw(1, Purpose::Weights { layer: 0 }),
            draw(1, Purpose::Weights { layer: 1 }),
            draw(1, Purpose::Biases { layer: 1 }),
            draw(1, Purpose::Dropout { layer: 0, step: 1 }),
            draw(1, Purpose::Dropout { layer: 0, step: 2 }),
            draw(1, Purpose::Dropout { layer: 1, step: 1 }),
        ];
        for other in others {
            assert_ne!(other, draw(1, Purpose::Images));
        }
    }
}
