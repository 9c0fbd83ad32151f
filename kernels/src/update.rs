//! Optimizer steps: one in-place pass over a variable, its gradient and the optimizer's slots.

use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::tile::{Piece, pieces};

/// One step of an optimizer, with the numbers of this step. Their formulas are in the optimizers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// `decay` is 0 without decoupled weight decay; `rate` includes the step's bias corrections.
    Adam {
        rate: f32,
        one_minus_beta_1: f32,
        one_minus_beta_2: f32,
        epsilon: f32,
        decay: f32,
    },
    /// Without momentum, `momentum` is `None`.
    Sgd {
        rate: f32,
        momentum: Option<f32>,
        nesterov: bool,
        decay: f32,
    },
    RmsProp {
        rate: f32,
        rho: f32,
        one_minus_rho: f32,
        epsilon: f32,
    },
}

/// Floats that are worked on at a time: the second reading of the gradient comes from the nearest cache.
const AT_ONCE: usize = 1024;

/// Floats that are added up in f32; longer sums lose their last digits.
const ROW: usize = 256;

impl Update {
    /// The number of slots that the step needs: slices of the variable's size.
    pub fn slots(&self) -> usize {
        match self {
            Self::Adam { .. } => 2,
            Self::Sgd { momentum, .. } => usize::from(momentum.is_some()),
            Self::RmsProp { .. } => 1,
        }
    }

    /// Updates the weights and the slots that the step needs. Returns the sum of the squares of the gradient.
    pub fn apply(
        self,
        weights: &mut [f32],
        gradient: &[f32],
        slots: [&mut [f32]; 2],
        instructions: Instructions,
    ) -> f64 {
        assert_eq!(weights.len(), gradient.len());
        for slot in &slots[..self.slots()] {
            assert_eq!(slot.len(), weights.len());
        }
        instructions.run(Pass { update: self, weights, gradient, slots })
    }
}

struct Pass<'a> {
    update: Update,
    weights: &'a mut [f32],
    gradient: &'a [f32],
    slots: [&'a mut [f32]; 2],
}

impl Computation for Pass<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) -> f64 {
        let [first, second] = self.slots;
        let mut sum = 0.0;
        for (index, (weights, gradient)) in
            self.weights.chunks_mut(AT_ONCE).zip(self.gradient.chunks(AT_ONCE)).enumerate()
        {
            let part = |slot: &'_ [f32]| {
                let start = (index * AT_ONCE).min(slot.len());
                start..slot.len().min(start + weights.len())
            };
            let (one, two) = (part(first), part(second));
            let slots = (&mut first[one], &mut second[two]);
            step::<L>(&self.update, weights, gradient, slots);
            sum += sum_of_squares::<L, VECTORS>(gradient);
        }
        sum
    }
}

/// Updates a part of the weights.
#[inline(always)]
fn step<L: Lanes>(
    update: &Update,
    weights: &mut [f32],
    gradient: &[f32],
    (first, second): (&mut [f32], &mut [f32]),
) {
    let decayed =
        |weight: f32, decay: f32| if decay == 0.0 { weight } else { weight - weight * decay };
    match *update {
        Update::Adam { rate, one_minus_beta_1, one_minus_beta_2, epsilon, decay } => {
            let numbers = [rate, one_minus_beta_1, one_minus_beta_2, epsilon, decay];
            let mut adam = Adam { numbers, weights, gradient, means: first, spreads: second };
            pieces::<L, 2>(gradient.len(), &mut adam);
        }
        Update::Sgd { rate, momentum: None, decay, .. } => {
            for (weight, gradient) in weights.iter_mut().zip(gradient) {
                *weight = decayed(*weight, decay) + gradient * -rate;
            }
        }
        Update::Sgd { rate, momentum: Some(momentum), nesterov, decay } => {
            for ((weight, gradient), velocity) in weights.iter_mut().zip(gradient).zip(first) {
                let step = gradient * -rate;
                *velocity = *velocity * momentum + step;
                let decayed = decayed(*weight, decay);
                *weight = if nesterov {
                    decayed + *velocity * momentum + step
                } else {
                    decayed + *velocity
                };
            }
        }
        Update::RmsProp { rate, rho, one_minus_rho, epsilon } => {
            for ((weight, gradient), velocity) in weights.iter_mut().zip(gradient).zip(first) {
                *velocity = *velocity * rho + gradient * gradient * one_minus_rho;
                *weight -= gradient * rate / (*velocity + epsilon).sqrt();
            }
        }
    }
}

/// Adam's step, over vectors: the published site is linked without turning loops into vectors.
struct Adam<'a> {
    /// The numbers of [`Update::Adam`], in their order.
    numbers: [f32; 5],
    weights: &'a mut [f32],
    gradient: &'a [f32],
    means: &'a mut [f32],
    spreads: &'a mut [f32],
}

impl Piece for Adam<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let [rate, one_minus_beta_1, one_minus_beta_2, epsilon, decay] = self.numbers.map(L::splat);
        let gradient: [L; V] = load(self.gradient, at);
        let mut means: [L; V] = load(self.means, at);
        let mut spreads: [L; V] = load(self.spreads, at);
        let mut weights: [L; V] = load(self.weights, at);
        // Products are rounded before they are added, as in Keras.
        for v in 0..V {
            let (gradient, mean, spread, weight) =
                (gradient[v], &mut means[v], &mut spreads[v], &mut weights[v]);
            *mean = mean.add(gradient.sub(*mean).mul(one_minus_beta_1));
            *spread = spread.add(gradient.mul(gradient).sub(*spread).mul(one_minus_beta_2));
            if self.numbers[4] != 0.0 {
                *weight = weight.sub(weight.mul(decay));
            }
            *weight = weight.sub(mean.mul(rate).div(spread.sqrt().add(epsilon)));
        }
        store(means, self.means, at);
        store(spreads, self.spreads, at);
        store(weights, self.weights, at);
    }
}

/// Adds up squares: in f32 within rows of [`ROW`] floats, then in f64.
#[inline(always)]
fn sum_of_squares<L: Lanes, const V: usize>(values: &[f32]) -> f64 {
    let mut total = 0.0;
    for row in values.chunks(ROW) {
        let (groups, rest) = row.as_chunks::<GROUP>();
        let mut vectors = [L::splat(0.0); V];
        for group in groups {
            let values: [L; V] = load(group, 0);
            for (sum, value) in vectors.iter_mut().zip(values) {
                *sum = sum.add(value.mul(value));
            }
        }
        let mut sums = [0.0; GROUP];
        store(vectors, &mut sums, 0);
        let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        total += sums.iter().copied().map(f64::from).sum::<f64>() + rest;
    }
    total
}
