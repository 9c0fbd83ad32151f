//! Optimizers with Keras' update formulas, as `keras/src/optimizers` computes them.
//!
//! They differ from Burn's and PyTorch's where it matters for parity: Adam's epsilon is not bias-corrected, RMSprop's epsilon is
//! inside the root, and weight decay is decoupled and applies to every variable.

use burn::tensor::Tensor;

use crate::backend::{Backend, floats, mapped, tensor};
use crate::experiment::{ClippingConfig, ConstraintConfig, OptimizerConfig};
use crate::network::{Role, Variable};
use crate::probes;
use crate::{kernels, operations};

/// An optimizer with its state.
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    clipping: ClippingConfig,
    constraint: ConstraintConfig,
    /// Whether the crate's kernels, which update in one pass and in place, are used where they have the formula.
    fast: bool,
    /// The number of updates so far.
    steps: i32,
    /// Nadam's product of the momenta so far.
    momenta: f64,
    /// The optimizer's tensors for each trainable variable; empty before the first step.
    slots: Vec<Slots>,
}

/// Tensors of one variable's size that an optimizer keeps; their meaning depends on the formula. A missing tensor is zero, or
/// Adagrad's initial accumulator.
#[derive(Clone, Debug, Default)]
struct Slots {
    first: Option<Tensor<1>>,
    second: Option<Tensor<1>>,
    third: Option<Tensor<1>>,
}

impl Optimizer {
    pub fn new(
        config: OptimizerConfig,
        clipping: ClippingConfig,
        constraint: ConstraintConfig,
        backend: &Backend,
    ) -> Self {
        let fast = backend.compute.has_kernels();
        Self { config, clipping, constraint, fast, steps: 0, momenta: 1.0, slots: Vec::new() }
    }

    /// Updates all trainable variables, given the gradient of each in the same order. Returns the l2 norm of all gradients
    /// together, before clipping.
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
            momenta: self.momenta,
        };
        let fused = if self.fast { update.fused() } else { None };
        // The kernels also sum the squares of their gradients, but those are clipped already.
        let clips = self.clipping != ClippingConfig::None {};
        let norm = (clips || fused.is_none()).then(|| probes::gradient_norm(&gradients));
        let gradients = clipped(gradients, &self.clipping, norm);
        let mut squares = 0.0;
        let trainable = variables.iter_mut().filter(|variable| variable.trainable);
        for ((variable, slots), gradient) in trainable.zip(&mut self.slots).zip(gradients) {
            if let Some(fused) = fused {
                squares += update_in_place(fused, variable, gradient, slots);
            } else {
                let weights = variable.value.clone().inner();
                let updated = update.apply(weights, gradient, slots);
                variable.value = updated.autodiff().require_grad();
            }
            if let (ConstraintConfig::MaxNorm { limit }, true) =
                (&self.constraint, variable.role == Role::Kernel)
            {
                constrain(variable, *limit);
            }
        }
        self.momenta = update.momenta_after();
        norm.unwrap_or_else(|| squares.sqrt())
    }
}

/// The gradients after clipping; `norm` is the norm of all gradients together.
fn clipped(
    gradients: Vec<Tensor<1>>,
    clipping: &ClippingConfig,
    norm: Option<f64>,
) -> Vec<Tensor<1>> {
    let each = |clip: &dyn Fn(Tensor<1>) -> Tensor<1>, gradients: Vec<Tensor<1>>| {
        gradients.into_iter().map(clip).collect()
    };
    match *clipping {
        ClippingConfig::None {} => gradients,
        ClippingConfig::Value { limit } => {
            each(&|gradient| mapped(gradient, |value| clipped_to(value, limit as f32)), gradients)
        }
        ClippingConfig::Norm { limit } => each(
            &|gradient| {
                let norm = probes::gradient_norm(std::slice::from_ref(&gradient));
                if norm > limit { gradient * (limit / norm) } else { gradient }
            },
            gradients,
        ),
        ClippingConfig::GlobalNorm { limit } => {
            let norm = norm.expect("computed where gradients are clipped");
            // A NaN norm makes every gradient NaN, as in Keras.
            if norm <= limit {
                return gradients;
            }
            each(&|gradient| gradient * (limit / norm), gradients)
        }
    }
}

/// The value within `-limit` and `limit`; NaN stays.
fn clipped_to(value: f32, limit: f32) -> f32 {
    if value.is_nan() { value } else { value.clamp(-limit, limit) }
}

/// The larger of each pair of numbers; NaN where one is.
fn larger_of(first: Tensor<1>, second: Tensor<1>) -> Tensor<1> {
    let (shape, device) = (first.dims(), first.device());
    let pairs = floats(first.into_data()).into_iter().zip(floats(second.into_data()));
    let larger = |(a, b): (f32, f32)| if a > b || a.is_nan() { a } else { b };
    tensor(pairs.map(larger).collect(), shape, &device)
}

/// Scales the weights of each filter or unit, the last axis, to at most a norm: `w min(norm, limit) / (1e-7 + norm)`.
fn constrain(variable: &mut Variable, limit: f64) {
    let units = *variable.shape.last().expect("a kernel has axes");
    let rows = variable.value.clone().inner().reshape([-1, units as i32]);
    let norms = rows.clone().square().sum_dim(0).sqrt();
    let held =
        rows * (mapped(norms.clone(), |norm| clipped_to(norm, limit as f32)) / (norms + 1e-7));
    let [count] = variable.value.dims();
    variable.value = held.reshape([count]).autodiff().require_grad();
}

/// Updates a variable by the kernel. Returns the sum of the gradient's squares.
fn update_in_place(
    update: kernels::update::Update,
    variable: &mut Variable,
    gradient: Tensor<1>,
    slots: &mut Slots,
) -> f64 {
    // The kernel changes a tensor in place only if nothing else holds it, so the variable's own value is taken out meanwhile.
    let nothing = || Tensor::zeros([1], &gradient.device());
    let zeros = |wanted: bool| if wanted { gradient.zeros_like() } else { nothing() };
    let weights = std::mem::replace(&mut variable.value, nothing()).inner();
    let first = slots.first.take().unwrap_or_else(|| zeros(update.slots() > 0));
    let second = slots.second.take().unwrap_or_else(|| zeros(update.slots() > 1));
    let (weights, [first, second], squares) =
        operations::update(weights, gradient, [first, second], update);
    variable.value = weights.autodiff().require_grad();
    (slots.first, slots.second) = (Some(first), Some(second));
    squares
}

/// The formula of one step.
struct Update<'a> {
    config: &'a OptimizerConfig,
    learning_rate: f64,
    /// The step's number, from 1.
    step: i32,
    /// Nadam's product of the momenta before this step.
    momenta: f64,
}

impl Update<'_> {
    fn apply(&self, weights: Tensor<1>, gradient: Tensor<1>, slots: &mut Slots) -> Tensor<1> {
        let rate = self.learning_rate;
        let weights = decay(weights, self.config.weight_decay() * rate);
        match *self.config {
            OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad, .. }
            | OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad, .. } => {
                self.adam(weights, gradient, slots, [beta_1, beta_2, epsilon], amsgrad)
            }
            OptimizerConfig::Nadam { beta_1, beta_2, epsilon, .. } => {
                // mhat = u_next m / (1 - prod u up to next) + (1 - u) g / (1 - prod u up to now)
                let (now, next) =
                    (nadam_momentum(beta_1, self.step), nadam_momentum(beta_1, self.step + 1));
                let product = self.momenta * now;
                let (mean, spread) = moments(gradient.clone(), slots, beta_1, beta_2);
                let ahead = mean * (next / (1.0 - product * next))
                    + gradient * ((1.0 - now) / (1.0 - product));
                let spread = spread / (1.0 - f64::from(beta_2 as f32).powi(self.step));
                weights - ahead * rate / (spread.sqrt() + epsilon)
            }
            OptimizerConfig::Adagrad { initial_accumulator_value, epsilon, .. } => {
                let before = slots.first.take();
                let before = before.unwrap_or_else(|| {
                    mapped(gradient.clone(), |_| initial_accumulator_value as f32)
                });
                let sum = before + gradient.clone().square();
                slots.first = Some(sum.clone());
                weights - gradient * rate / (sum + epsilon).sqrt()
            }
            OptimizerConfig::Lion { beta_1, beta_2, .. } => {
                let mean = slots.first.take().unwrap_or_else(|| gradient.zeros_like());
                let direction = mean.clone() * beta_1 + gradient.clone() * (1.0 - beta_1);
                // 0 and NaN stay as they are.
                let sign = |value: f32| if value.abs() > 0.0 { value.signum() } else { value };
                let direction = mapped(direction, sign);
                slots.first = Some(mean * beta_2 + gradient * (1.0 - beta_2));
                weights - direction * rate
            }
            OptimizerConfig::Sgd { momentum, nesterov, .. } => {
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
            OptimizerConfig::RmsProp { rho, momentum, epsilon, centered, .. } => {
                let running = |slot: &mut Option<Tensor<1>>, value: Tensor<1>| {
                    let value = value * (1.0 - rho);
                    let mean = match slot.take() {
                        Some(mean) => mean * rho + value,
                        None => value,
                    };
                    *slot = Some(mean.clone());
                    mean
                };
                let squares = running(&mut slots.first, gradient.clone().square());
                let spread = if centered {
                    squares - running(&mut slots.second, gradient.clone()).square()
                } else {
                    squares
                };
                let step = gradient * rate / (spread + epsilon).sqrt();
                if momentum == 0.0 {
                    return weights - step;
                }
                let velocity = match slots.third.take() {
                    Some(velocity) => velocity * momentum + step,
                    None => step,
                };
                slots.third = Some(velocity.clone());
                weights - velocity
            }
        }
    }

    /// `m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); w -= a m / (sqrt(v) + epsilon)` with
    /// `a = rate sqrt(1 - b2^t) / (1 - b1^t)`. With amsgrad, v is replaced by the largest v so far.
    fn adam(
        &self,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Slots,
        [beta_1, beta_2, epsilon]: [f64; 3],
        amsgrad: bool,
    ) -> Tensor<1> {
        let (mean, mut spread) = moments(gradient, slots, beta_1, beta_2);
        if amsgrad {
            if let Some(largest) = slots.third.take() {
                spread = larger_of(largest, spread);
            }
            slots.third = Some(spread.clone());
        }
        weights - mean * self.adam_rate(beta_1, beta_2) / (spread.sqrt() + epsilon)
    }

    /// The learning rate with this step's bias corrections.
    fn adam_rate(&self, beta_1: f64, beta_2: f64) -> f64 {
        // Keras raises the f32 betas to the step.
        let power = |beta: f64| f64::from(beta as f32).powi(self.step);
        self.learning_rate * (1.0 - power(beta_2)).sqrt() / (1.0 - power(beta_1))
    }

    /// Nadam's product of the momenta after this step.
    fn momenta_after(&self) -> f64 {
        match *self.config {
            OptimizerConfig::Nadam { beta_1, .. } => {
                self.momenta * nadam_momentum(beta_1, self.step)
            }
            _ => self.momenta,
        }
    }

    /// The same formula for the crate's one-pass kernel; `None` where the kernel does not have it.
    fn fused(&self) -> Option<kernels::update::Update> {
        use kernels::update::Update;
        let rate = self.learning_rate as f32;
        let decay = (self.config.weight_decay() * self.learning_rate) as f32;
        Some(match *self.config {
            OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad: false, .. }
            | OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad: false, .. } => {
                Update::Adam {
                    rate: self.adam_rate(beta_1, beta_2) as f32,
                    one_minus_beta_1: (1.0 - beta_1) as f32,
                    one_minus_beta_2: (1.0 - beta_2) as f32,
                    epsilon: epsilon as f32,
                    decay,
                }
            }
            OptimizerConfig::Sgd { momentum, nesterov, .. } => Update::Sgd {
                rate,
                momentum: (momentum != 0.0).then_some(momentum as f32),
                nesterov,
                decay,
            },
            OptimizerConfig::RmsProp {
                rho,
                momentum: 0.0,
                epsilon,
                centered: false,
                weight_decay: 0.0,
            } => Update::RmsProp {
                rate,
                rho: rho as f32,
                one_minus_rho: (1.0 - rho) as f32,
                epsilon: epsilon as f32,
            },
            _ => return None,
        })
    }
}

/// The running means of the gradient and its square: `m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2)`.
fn moments(
    gradient: Tensor<1>,
    slots: &mut Slots,
    beta_1: f64,
    beta_2: f64,
) -> (Tensor<1>, Tensor<1>) {
    let running = |slot: &mut Option<Tensor<1>>, value: Tensor<1>, beta: f64| {
        let mean = match slot.take() {
            Some(mean) => mean.clone() + (value - mean) * (1.0 - beta),
            None => value * (1.0 - beta),
        };
        *slot = Some(mean.clone());
        mean
    };
    let mean = running(&mut slots.first, gradient.clone(), beta_1);
    let spread = running(&mut slots.second, gradient.square(), beta_2);
    (mean, spread)
}

/// `u_t = b1 (1 - 0.5 * 0.96^t)` (Dozat 2016, with Keras' constants).
fn nadam_momentum(beta_1: f64, step: i32) -> f64 {
    beta_1 * (1.0 - 0.5 * 0.96_f64.powi(step))
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

    /// The value of one weight, from 1, after each step with the same gradient.
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
        let mut variables = [Variable {
            name: "weight".into(),
            role: Role::Kernel,
            shape: vec![1],
            value,
            trainable: true,
        }];
        let (clipping, constraint) = (ClippingConfig::None {}, ConstraintConfig::None {});
        let mut optimizer = Optimizer::new(config.clone(), clipping, constraint, &backend);
        let mut step = || {
            optimizer.step(rate, &mut variables, vec![single(gradient).inner()]);
            variables[0].values()[0]
        };
        (0..steps).map(|_| step()).collect()
    }

    /// The expected weights are computed by hand from Keras' formulas.
    #[wasm_bindgen_test(unsupported = test)]
    fn steps_are_as_keras_takes_them() {
        let named = |id: &str| {
            let mut experiment = crate::experiment::Experiment::default();
            experiment.set("training.optimizer", id).unwrap();
            experiment.training.optimizer
        };
        let decaying = |id: &str| {
            let mut experiment = crate::experiment::Experiment::default();
            experiment.set("training.optimizer", id).unwrap();
            experiment.set("training.optimizer.weight_decay", "0.5").unwrap();
            experiment.training.optimizer
        };
        let rows: &[(OptimizerConfig, f32, &[f32])] = &[
            (named("sgd"), 0.5, &[0.95, 0.9]),
            (named("momentum"), 0.5, &[0.95, 0.855]),
            (named("nesterov"), 0.5, &[0.905, 0.7695]),
            (named("adam"), 0.5, &[0.900_000_6, 0.800_001]),
            // The root of v is 3e-10 here, so the step depends on epsilon having no bias correction.
            (named("adam"), 1e-8, &[0.999_684_8]),
            (decaying("adamw"), 0.5, &[0.850_000_6]),
            (decaying("adam"), 0.5, &[0.850_000_6]),
            (named("rmsprop"), 0.5, &[0.683_772_9]),
            // The step depends on epsilon being inside the root.
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
        let names = ["sgd", "momentum", "adam", "adamw", "nadam", "adagrad", "lion", "rmsprop"];
        for BackendInfo { id, .. } in BACKENDS {
            for name in names {
                let mut experiment = crate::experiment::Experiment::default();
                experiment.set("training.optimizer", name).unwrap();
                experiment.set("training.optimizer.weight_decay", "0.5").unwrap();
                // 1 - 0.1 * 0.5 * 1 = 0.95. The gradient is 0, so nothing else moves the weight.
                let found = weights(id, &experiment.training.optimizer, 0.1, 0.0, 2);
                let close = (found[0] - 0.95).abs() < 1e-6 && (found[1] - 0.9025).abs() < 1e-6;
                assert!(close, "{name} on {id}: {found:?}");
            }
        }
    }
}
