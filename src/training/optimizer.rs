//! Optimizers with Keras' update formulas, as `keras/src/optimizers` computes them.
//!
//! They differ from Burn's and PyTorch's where it matters for parity: Adam's epsilon is not bias-corrected, RMSprop's
//! stands inside the root, and weight decay is decoupled and applies to every variable.

use burn::tensor::Tensor;

use crate::backend::{Backend, without_kernels};
use crate::experiment::OptimizerConfig;
use crate::kernels;
use crate::network::Variable;
use crate::probes;

/// An optimizer with its state.
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    /// Whether the crate's own kernels do it, in one pass and in place.
    fast: bool,
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
    pub fn new(config: OptimizerConfig, backend: &Backend) -> Self {
        Self { config, fast: backend.buffers.is_some(), steps: 0, slots: Vec::new() }
    }

    /// One update of all variables with the gradient of each, in their order. Returns the gradients' l2 norm, all together.
    pub fn step(
        &mut self,
        learning_rate: f64,
        variables: &mut [Variable],
        gradients: Vec<Tensor<1>>,
    ) -> f64 {
        self.steps += 1;
        self.slots.resize_with(variables.len(), Slots::default);
        let update = Update {
            config: &self.config,
            learning_rate: f64::from(learning_rate as f32),
            step: self.steps,
        };
        let all = variables.iter_mut().zip(&mut self.slots);
        if self.fast {
            let fused = update.fused();
            let squares = all.zip(gradients).map(|((variable, slots), gradient)| {
                update_in_place(fused, variable, gradient, slots)
            });
            return squares.sum::<f64>().sqrt();
        }
        without_kernels();
        let norm = probes::gradient_norm(&gradients);
        for ((variable, slots), gradient) in all.zip(gradients) {
            let weights = variable.value.clone().inner();
            let updated = update.apply(weights, gradient, slots);
            variable.value = updated.autodiff().require_grad();
        }
        norm
    }
}

/// Returns the sum of the gradient's squares.
fn update_in_place(
    update: kernels::update::Update,
    variable: &mut Variable,
    gradient: Tensor<1>,
    slots: &mut Slots,
) -> f64 {
    // Only a tensor that nobody else holds is changed in place, so the variable gives its own away meanwhile.
    let nothing = || Tensor::zeros([1], &gradient.device());
    let zeros = |wanted: bool| if wanted { gradient.zeros_like() } else { nothing() };
    let weights = std::mem::replace(&mut variable.value, nothing()).inner();
    let first = slots.first.take().unwrap_or_else(|| zeros(update.slots() > 0));
    let second = slots.second.take().unwrap_or_else(|| zeros(update.slots() > 1));
    let (weights, [first, second], squares) =
        kernels::step(weights, gradient, [first, second], update);
    variable.value = weights.autodiff().require_grad();
    (slots.first, slots.second) = (Some(first), Some(second));
    squares
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
        weights - mean * self.adam_rate(beta_1, beta_2) / (spread.sqrt() + epsilon)
    }

    /// The learning rate with this step's corrections.
    fn adam_rate(&self, beta_1: f64, beta_2: f64) -> f64 {
        // Keras raises the f32 betas to the step.
        let power = |beta: f64| f64::from(beta as f32).powi(self.step);
        self.learning_rate * (1.0 - power(beta_2)).sqrt() / (1.0 - power(beta_1))
    }

    /// The same formula for the kernel that does it in one pass.
    fn fused(&self) -> kernels::update::Update {
        use kernels::update::Update;
        let rate = self.learning_rate as f32;
        let adam = |beta_1: f64, beta_2: f64, epsilon: f64, weight_decay: f64| Update::Adam {
            rate: self.adam_rate(beta_1, beta_2) as f32,
            one_minus_beta_1: (1.0 - beta_1) as f32,
            one_minus_beta_2: (1.0 - beta_2) as f32,
            epsilon: epsilon as f32,
            decay: (weight_decay * self.learning_rate) as f32,
        };
        match *self.config {
            OptimizerConfig::Adam { beta_1, beta_2, epsilon } => adam(beta_1, beta_2, epsilon, 0.0),
            OptimizerConfig::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                adam(beta_1, beta_2, epsilon, weight_decay)
            }
            OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => Update::Sgd {
                rate,
                momentum: (momentum != 0.0).then_some(momentum as f32),
                nesterov,
                decay: (weight_decay * self.learning_rate) as f32,
            },
            OptimizerConfig::RmsProp { rho, epsilon } => Update::RmsProp {
                rate,
                rho: rho as f32,
                one_minus_rho: (1.0 - rho) as f32,
                epsilon: epsilon as f32,
            },
        }
    }
}

/// Decoupled weight decay: `w -= w * amount`.
fn decay(weights: Tensor<1>, amount: f64) -> Tensor<1> {
    if amount == 0.0 {
        return weights;
    }
    weights.clone() - weights * amount
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use wasm_bindgen_test::*;

    use super::*;
    use crate::backend::{self, BACKENDS, BackendInfo};
    use crate::presets;

    /// One weight of 1 after each step with the same gradient.
    fn weights(
        backend: &str,
        config: &OptimizerConfig,
        rate: f64,
        gradient: f32,
        steps: usize,
    ) -> Vec<f32> {
        let backend = backend::open(backend).unwrap();
        let device = backend.device.clone();
        let single = |value: f32| Tensor::<1>::from_data(TensorData::from([value]), &device);
        let value = single(1.0).require_grad();
        let mut variables = [Variable { name: "weight".into(), shape: vec![1], value }];
        let mut optimizer = Optimizer::new(config.clone(), &backend);
        let mut step = || {
            optimizer.step(rate, &mut variables, vec![single(gradient).inner()]);
            variables[0].values()[0]
        };
        (0..steps).map(|_| step()).collect()
    }

    /// Worked by hand from Keras' formulas.
    #[wasm_bindgen_test(unsupported = test)]
    fn steps_are_as_keras_takes_them() {
        let named = |id: &str| presets::optimizer(id).unwrap();
        let decaying =
            OptimizerConfig::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.5 };
        let rows: &[(OptimizerConfig, f32, &[f32])] = &[
            (named("sgd"), 0.5, &[0.95, 0.9]),
            (named("momentum"), 0.5, &[0.95, 0.855]),
            (named("nesterov"), 0.5, &[0.905, 0.7695]),
            (named("adam"), 0.5, &[0.900_000_6, 0.800_001]),
            // The root of v is 3e-10 here: that epsilon is added without a correction of its own decides the step.
            (named("adam"), 1e-8, &[0.999_684_8]),
            (decaying, 0.5, &[0.850_000_6]),
            (named("rmsprop"), 0.5, &[0.683_772_9]),
            // Epsilon stands inside the root.
            (named("rmsprop"), 1e-4, &[0.968_534_2]),
        ];
        for BackendInfo { id, .. } in BACKENDS {
            for (config, gradient, expected) in rows {
                let found = weights(id, config, 0.1, *gradient, expected.len());
                for (found, expected) in found.iter().zip(*expected) {
                    assert!(
                        (found - expected).abs() < 2e-6,
                        "{config:?} on {id}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn weight_decay_is_decoupled_from_the_gradient() {
        let sgd = OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.5 };
        for BackendInfo { id, .. } in BACKENDS {
            // 1 - 0.1 * 0.5 * 1 = 0.95, and no gradient: the velocity stays 0.
            let found = weights(id, &sgd, 0.1, 0.0, 2);
            let close = (found[0] - 0.95).abs() < 1e-6 && (found[1] - 0.9025).abs() < 1e-6;
            assert!(close, "{id}: {found:?}");
        }
    }
}
