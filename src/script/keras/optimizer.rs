//! Optimizers and schedules as Keras calls.

use crate::experiment::{ClippingConfig, OptimizerConfig, ScheduleConfig, TrainingConfig};
use crate::script::text::{call, flag, unless};

/// The call of the optimizer's class with this learning rate. Arguments with Keras' defaults are left out.
pub fn optimizer(training: &TrainingConfig, learning_rate: &str) -> String {
    let mut arguments = vec![format!("learning_rate={learning_rate}")];
    let all = &mut arguments;
    let mut betas = |beta_1: f64, beta_2: f64, usual: f64| {
        unless(all, "beta_1", beta_1, 0.9);
        unless(all, "beta_2", beta_2, usual);
    };
    match training.optimizer {
        OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad, .. }
        | OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad, .. } => {
            betas(beta_1, beta_2, 0.999);
            unless(all, "epsilon", epsilon, 1e-7);
            flag(all, "amsgrad", amsgrad);
        }
        OptimizerConfig::Nadam { beta_1, beta_2, epsilon, .. } => {
            betas(beta_1, beta_2, 0.999);
            unless(all, "epsilon", epsilon, 1e-7);
        }
        OptimizerConfig::Adagrad { initial_accumulator_value, epsilon, .. } => {
            unless(all, "initial_accumulator_value", initial_accumulator_value, 0.1);
            unless(all, "epsilon", epsilon, 1e-7);
        }
        OptimizerConfig::Lion { beta_1, beta_2, .. } => betas(beta_1, beta_2, 0.99),
        OptimizerConfig::Sgd { momentum, nesterov, .. } => {
            unless(all, "momentum", momentum, 0.0);
            flag(all, "nesterov", nesterov);
        }
        OptimizerConfig::RmsProp { rho, momentum, epsilon, centered, .. } => {
            unless(all, "rho", rho, 0.9);
            unless(all, "momentum", momentum, 0.0);
            unless(all, "epsilon", epsilon, 1e-7);
            flag(all, "centered", centered);
        }
    }
    let usual = training.optimizer.with_defaults().weight_decay();
    unless(&mut arguments, "weight_decay", training.optimizer.weight_decay(), usual);
    arguments.extend(match training.clipping {
        ClippingConfig::None {} => None,
        ClippingConfig::Norm { limit } => Some(format!("clipnorm={limit:?}")),
        ClippingConfig::Value { limit } => Some(format!("clipvalue={limit:?}")),
        ClippingConfig::GlobalNorm { limit } => Some(format!("global_clipnorm={limit:?}")),
    });
    call(&format!("keras.optimizers.{}", training.optimizer.keras_name()), &arguments)
}

/// The learning rate or its schedule. Numbers keep their decimal point: Keras 3.15 refuses the integer in `SGD(learning_rate=1)`.
pub fn learning_rate(training: &TrainingConfig) -> String {
    let rate = training.learning_rate;
    let decay = |class: &str, steps: u32, decay_rate: f64, staircase: bool| {
        let staircase = if staircase { ", staircase=True" } else { "" };
        format!("{class}({rate:?}, decay_steps={steps}, decay_rate={decay_rate:?}{staircase})")
    };
    let cosine = |warmup_steps: u32, from: f64, decay_steps: u32, alpha: f64| {
        let warmup = if warmup_steps == 0 {
            format!("{rate:?}, decay_steps={decay_steps}, alpha={alpha:?}")
        } else {
            format!(
                "{:?}, decay_steps={decay_steps}, alpha={alpha:?}, warmup_target={rate:?}, warmup_steps={warmup_steps}",
                from * rate
            )
        };
        format!("CosineDecay({warmup})")
    };
    let call = match &training.schedule {
        ScheduleConfig::Constant {} => return format!("{rate:?}"),
        ScheduleConfig::Exponential { decay_steps, decay_rate, staircase } => {
            decay("ExponentialDecay", *decay_steps, *decay_rate, *staircase)
        }
        ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase } => {
            decay("InverseTimeDecay", *decay_steps, *decay_rate, *staircase)
        }
        ScheduleConfig::Piecewise { boundaries, factors } => {
            let values: Vec<f64> =
                [rate].into_iter().chain(factors.iter().map(|factor| factor * rate)).collect();
            format!("PiecewiseConstantDecay({boundaries:?}, {values:?})")
        }
        ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha } => {
            cosine(*warmup_steps, *warmup_from, *decay_steps, *alpha)
        }
        // Keras has no warm-up alone; a cosine with alpha 1 stays at the rate after its warm-up.
        ScheduleConfig::Warmup { warmup_steps, warmup_from } => {
            cosine(*warmup_steps, *warmup_from, 1, 1.0)
        }
    };
    format!("keras.optimizers.schedules.{call}")
}
