//! Dropout: each value of the input is kept and scaled, or becomes zero.

use crate::lanes::{Computation, Instructions, Lanes, load, store};

/// A dropout with its random numbers.
#[derive(Clone, Copy, Debug)]
pub struct Dropout<'a> {
    /// A number in [0, 1) for each value of the input; the value is dropped if the number is below the rate.
    pub noise: &'a [f32],
    /// The share of the values that is dropped.
    pub rate: f32,
}

impl Dropout<'_> {
    /// Multiplies each value of `from` by 1 / (1 - rate) or by zero. `from` is the input forward, and the output's gradient
    /// backward.
    pub fn apply(&self, from: &[f32], to: &mut [f32], instructions: Instructions) {
        assert_eq!(from.len(), self.noise.len());
        assert_eq!(to.len(), self.noise.len());
        instructions.run(Apply { dropout: self, from, to });
    }
}

struct Apply<'a> {
    dropout: &'a Dropout<'a>,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Computation for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let whole = self.from.len() - self.from.len() % L::COUNT;
        let Self { dropout, from, to } = self;
        for at in (0..whole).step_by(L::COUNT) {
            part::<L>(dropout, from, to, at);
        }
        for at in whole..from.len() {
            part::<f32>(dropout, from, to, at);
        }
    }
}

#[inline(always)]
fn part<L: Lanes>(dropout: &Dropout, from: &[f32], to: &mut [f32], at: usize) {
    let [noise]: [L; 1] = load(dropout.noise, at);
    let [value]: [L; 1] = load(from, at);
    let scale = L::splat(1.0 / (1.0 - dropout.rate));
    // Dropped where the rate is above the noise.
    let factor = noise.where_beaten(L::splat(dropout.rate), L::splat(0.0), scale);
    // A product, as in Keras: NaN stays NaN.
    store([value.mul(factor)], to, at);
}
