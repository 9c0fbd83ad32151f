//! Optimizer steps: one in-place pass over a variable, its gradient and the optimizer's slots.

use crate::lanes::{Computation, Instructions, Lanes};

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
            step(&self.update, weights, gradient, slots);
            sum += sum_of_squares(gradient);
        }
        sum
    }
}

/// Updates a part of the weights, in simple loops that compilers turn into vectors.
#[inline(always)]
fn step(
    update: &Update,
    weights: &mut [f32],
    gradient: &[f32],
    (first, second): (&mut [f32], &mut [f32]),
) {
    let pairs = weights.iter_mut().zip(gradient);
    let decayed =
        |weight: f32, decay: f32| if decay == 0.0 { weight } else { weight - weight * decay };
    match *update {
        Update::Adam { rate, one_minus_beta_1, one_minus_beta_2, epsilon, decay } => {
            for ((weight, gradient), (mean, spread)) in pairs.zip(first.iter_mut().zip(second)) {
                *mean += (gradient - *mean) * one_minus_beta_1;
                *spread += (gradient * gradient - *spread) * one_minus_beta_2;
                *weight = decayed(*weight, decay) - *mean * rate / (spread.sqrt() + epsilon);
            }
        }
        Update::Sgd { rate, momentum: None, decay, .. } => {
            for (weight, gradient) in pairs {
                *weight = decayed(*weight, decay) + gradient * -rate;
            }
        }
        Update::Sgd { rate, momentum: Some(momentum), nesterov, decay } => {
            for ((weight, gradient), velocity) in pairs.zip(first) {
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
            for ((weight, gradient), velocity) in pairs.zip(first) {
                *velocity = *velocity * rho + gradient * gradient * one_minus_rho;
                *weight -= gradient * rate / (*velocity + epsilon).sqrt();
            }
        }
    }
}

/// Adds up squares: in f32 within rows of [`ROW`] floats, then in f64.
#[inline(always)]
fn sum_of_squares(values: &[f32]) -> f64 {
    const LANES: usize = 16;
    let mut total = 0.0;
    for row in values.chunks(ROW) {
        let mut sums = [0.0_f32; LANES];
        let (vectors, rest) = row.as_chunks::<LANES>();
        for vector in vectors {
            for (sum, value) in sums.iter_mut().zip(vector) {
                *sum += value * value;
            }
        }
        let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        total += sums.iter().copied().map(f64::from).sum::<f64>() + rest;
    }
    total
}
