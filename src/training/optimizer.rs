//! Optimizers with Keras' update formulas, as `keras/src/optimizers` computes them.
//!
//! They differ from Burn's and PyTorch's where it matters for parity: Adam's epsilon is not bias-corrected, RMSprop's
//! stands inside the root, and weight decay is decoupled and applies to every variable.

use burn::tensor::Tensor;

use crate::experiment::OptimizerConfig;
use crate::network::Variable;

/// An optimizer with its state.
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    /// Updates made so far.
    steps: i32,
    /// What the formulas remember, a variable each; empty before the first step.
    slots: Vec<Slots>,
}

/// Two running tensors of one variable's size; which ones, the formula says. Missing until first needed, meaning zero.
#[derive(Clone, Debug, Default)]
struct Slots {
    first: Option<Tensor<1>>,
    second: Option<Tensor<1>>,
}

impl Optimizer {
    pub fn new(config: OptimizerConfig) -> Self {
        Self { config, steps: 0, slots: Vec::new() }
    }

    /// One update of all variables with the gradient of each, in their order.
    pub fn step(
        &mut self,
        learning_rate: f64,
        variables: &mut [Variable],
        gradients: Vec<Tensor<1>>,
    ) {
        self.steps += 1;
        self.slots.resize_with(variables.len(), Slots::default);
        let update = Update {
            config: &self.config,
            learning_rate: f64::from(learning_rate as f32),
            step: self.steps,
        };
        for ((variable, gradient), slots) in
            variables.iter_mut().zip(gradients).zip(&mut self.slots)
        {
            let weights = variable.value.clone().inner();
            let updated = update.apply(weights, gradient, slots);
            variable.value = updated.autodiff().require_grad();
        }
    }
}

/// One step's formula.
struct Update<'a> {
    config: &'a OptimizerConfig,
    learning_rate: f64,
    /// From 1.
    step: i32,
}

impl Update<'_> {
    fn apply(&self, weights: Tensor<1>, gradient: Tensor<1>, slots: &mut Slots) -> Tensor<1> {
        let rate = self.learning_rate;
        match *self.config {
            OptimizerConfig::Adam { beta_1, beta_2, epsilon } => {
                self.adam(weights, gradient, slots, [beta_1, beta_2, epsilon])
            }
            OptimizerConfig::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                let decayed = decay(weights, weight_decay * rate);
                self.adam(decayed, gradient, slots, [beta_1, beta_2, epsilon])
            }
            OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => {
                let weights = decay(weights, weight_decay * rate);
                let step = gradient * -rate;
                if momentum == 0.0 {
                    return weights + step;
                }
                // velocity = momentum * velocity - rate * gradient
                let velocity = match slots.first.take() {
                    Some(velocity) => velocity * momentum + step.clone(),
                    None => step.clone(),
                };
                slots.first = Some(velocity.clone());
                if nesterov { weights + velocity * momentum + step } else { weights + velocity }
            }
            OptimizerConfig::RmsProp { rho, epsilon } => {
                // velocity = rho * velocity + (1 - rho) * gradient^2
                let square = gradient.clone().square() * (1.0 - rho);
                let velocity = match slots.first.take() {
                    Some(velocity) => velocity * rho + square,
                    None => square,
                };
                slots.first = Some(velocity.clone());
                weights - gradient * rate / (velocity + epsilon).sqrt()
            }
        }
    }

    /// `m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); w -= a m / (sqrt(v) + epsilon)` with
    /// `a = rate sqrt(1 - b2^t) / (1 - b1^t)`.
    fn adam(
        &self,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Slots,
        [beta_1, beta_2, epsilon]: [f64; 3],
    ) -> Tensor<1> {
        let square = gradient.clone().square();
        let mean = match slots.first.take() {
            Some(mean) => mean.clone() + (gradient - mean) * (1.0 - beta_1),
            None => gradient * (1.0 - beta_1),
        };
        let spread = match slots.second.take() {
            Some(spread) => spread.clone() + (square - spread) * (1.0 - beta_2),
            None => square * (1.0 - beta_2),
        };
        slots.first = Some(mean.clone());
        slots.second = Some(spread.clone());
        // Keras raises the f32 betas to the step.
        let power = |beta: f64| f64::from(beta as f32).powi(self.step);
        let rate = self.learning_rate * (1.0 - power(beta_2)).sqrt() / (1.0 - power(beta_1));
        weights - mean * rate / (spread.sqrt() + epsilon)
    }
}

/// Decoupled weight decay: `w -= w * amount`.
fn decay(weights: Tensor<1>, amount: f64) -> Tensor<1> {
    if amount == 0.0 {
        return weights;
    }
    weights.clone() - weights * amount
}
