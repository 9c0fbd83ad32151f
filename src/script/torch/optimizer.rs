//! Optimizers and schedules as PyTorch calls.

use super::layers::Model;
use crate::experiment::{
    ClippingConfig, Experiment, OptimizerConfig, ScheduleConfig, TrainingConfig,
};
use crate::script::text::{Script, call, flag, unless};

/// Whether the schedule uses `math.cos`.
pub fn needs_math(training: &TrainingConfig) -> bool {
    matches!(training.schedule, ScheduleConfig::Cosine { .. })
}

/// Defines Lion, which PyTorch does not have.
pub fn define_class(script: &mut Script, training: &TrainingConfig) {
    if matches!(training.optimizer, OptimizerConfig::Lion { .. }) {
        script.define(LION);
    }
}

const LION: &str = r#"class Lion(torch.optim.Optimizer):
    """Moves each weight by the learning rate, against the sign of its smoothed gradient."""

    def __init__(self, parameters, lr, betas):
        super().__init__(parameters, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                weight -= group["lr"] * torch.sign(beta_1 * mean + (1 - beta_1) * weight.grad)
                mean.lerp_(weight.grad, 1 - beta_2)"#;

/// The Python expression of the optimizer's parameters.
pub fn parameters(experiment: &Experiment, model: &Model) -> &'static str {
    if experiment.is_frozen_entirely() {
        "copy.deepcopy(model).parameters()"
    } else if model.frozen(experiment).next().is_some() {
        "parameters"
    } else {
        "model.parameters()"
    }
}

/// Makes the optimizer, unless each step makes its own, and the schedule.
pub fn make(script: &mut Script, experiment: &Experiment, model: &Model) {
    let training = &experiment.training;
    let scheduled = training.schedule != ScheduleConfig::Constant {};
    if scheduled {
        define_factor(script, &training.schedule);
    }
    if training.training_loop.optimizer_recreated {
        return;
    }
    if experiment.is_frozen_entirely() {
        script.line("# The mistake: the optimizer updates a copy, and the model's own weights never change.");
    }
    if let Some(comment) = comment(&training.optimizer) {
        script.line(comment);
    }
    let rate = format!("{:?}", training.learning_rate);
    script.add(format_args!("optimizer = {}", optimizer(experiment, model, &rate)));
    if scheduled {
        script.line("schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)");
    }
}

/// A comment where PyTorch's formula differs from Keras'.
pub fn comment(optimizer: &OptimizerConfig) -> Option<&'static str> {
    match optimizer {
        OptimizerConfig::Adam { .. } | OptimizerConfig::AdamW { .. } => {
            Some("# Keras' epsilon; PyTorch adds it after the bias correction, Keras before it.")
        }
        OptimizerConfig::Nadam { .. } => {
            Some("# Keras' rule is a momentum_decay of 1; PyTorch's default is 0.004.")
        }
        OptimizerConfig::Adagrad { .. } | OptimizerConfig::RmsProp { .. } => {
            Some("# Keras adds epsilon under the root, PyTorch after it.")
        }
        OptimizerConfig::Lion { .. } | OptimizerConfig::Sgd { .. } => None,
    }
}

pub fn optimizer(experiment: &Experiment, model: &Model, rate: &str) -> String {
    let mut arguments = vec![parameters(experiment, model).to_string(), format!("lr={rate}")];
    let all = &mut arguments;
    let betas = |all: &mut Vec<String>, beta_1: f64, beta_2: f64| {
        if [beta_1, beta_2] != [0.9, 0.999] {
            all.push(format!("betas=({beta_1:?}, {beta_2:?})"));
        }
    };
    let class = match experiment.training.optimizer {
        OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad, .. } => {
            betas(all, beta_1, beta_2);
            all.push(format!("eps={epsilon:?}"));
            flag(all, "amsgrad", amsgrad);
            "torch.optim.Adam"
        }
        OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad, weight_decay } => {
            betas(all, beta_1, beta_2);
            all.push(format!("eps={epsilon:?}"));
            all.push(format!("weight_decay={weight_decay:?}"));
            flag(all, "amsgrad", amsgrad);
            "torch.optim.AdamW"
        }
        OptimizerConfig::Nadam { beta_1, beta_2, epsilon, .. } => {
            betas(all, beta_1, beta_2);
            all.push(format!("eps={epsilon:?}"));
            all.push("momentum_decay=1.0".into());
            "torch.optim.NAdam"
        }
        OptimizerConfig::Adagrad { initial_accumulator_value, epsilon, .. } => {
            unless(all, "initial_accumulator_value", initial_accumulator_value, 0.0);
            all.push(format!("eps={epsilon:?}**0.5"));
            "torch.optim.Adagrad"
        }
        OptimizerConfig::Lion { beta_1, beta_2, .. } => {
            all.push(format!("betas=({beta_1:?}, {beta_2:?})"));
            "Lion"
        }
        OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => {
            unless(all, "momentum", momentum, 0.0);
            flag(all, "nesterov", nesterov && momentum != 0.0);
            if !decays_by_hand(&experiment.training.optimizer) {
                unless(all, "weight_decay", weight_decay, 0.0);
            }
            "torch.optim.SGD"
        }
        OptimizerConfig::RmsProp { rho, momentum, epsilon, centered, .. } => {
            all.push(format!("alpha={rho:?}"));
            all.push(format!("eps={epsilon:?}**0.5"));
            unless(all, "momentum", momentum, 0.0);
            flag(all, "centered", centered);
            "torch.optim.RMSprop"
        }
    };
    call(class, &arguments)
}

/// Whether the script decays the weights itself. Keras decouples the decay from the gradient in every optimizer, PyTorch only in
/// AdamW; SGD without momentum gives the same result.
fn decays_by_hand(optimizer: &OptimizerConfig) -> bool {
    let is_decoupled = match optimizer {
        OptimizerConfig::AdamW { .. } => true,
        OptimizerConfig::Sgd { momentum, .. } => *momentum == 0.0,
        OptimizerConfig::Adam { .. }
        | OptimizerConfig::Nadam { .. }
        | OptimizerConfig::Adagrad { .. }
        | OptimizerConfig::Lion { .. }
        | OptimizerConfig::RmsProp { .. } => false,
    };
    !is_decoupled && optimizer.weight_decay() != 0.0
}

/// Writes the lines between the gradients and the update of a step: clipping and weight decay.
pub fn before_update(script: &mut Script, experiment: &Experiment, model: &Model) {
    if experiment.is_frozen_entirely() {
        return;
    }
    let training = &experiment.training;
    let parameters = parameters(experiment, model);
    match training.clipping {
        ClippingConfig::None {} => {}
        ClippingConfig::Norm { limit } => {
            script.add(format_args!("        for weight in {parameters}:"));
            script.add(format_args!("            nn.utils.clip_grad_norm_(weight, {limit:?})"));
        }
        ClippingConfig::Value { limit } => {
            script.add(format_args!("        nn.utils.clip_grad_value_({parameters}, {limit:?})"));
        }
        ClippingConfig::GlobalNorm { limit } => {
            script.add(format_args!("        nn.utils.clip_grad_norm_({parameters}, {limit:?})"));
        }
    }
    if decays_by_hand(&training.optimizer) {
        let weight_decay = training.optimizer.weight_decay();
        script.line("        # Keras' weight decay is decoupled from the gradient; PyTorch's would be added to it.");
        script.add(format_args!("        for weight in {parameters}:"));
        script.add(format_args!(
            "            weight.data *= 1 - {weight_decay:?} * optimizer.param_groups[0][\"lr\"]"
        ));
    }
}

fn define_factor(script: &mut Script, schedule: &ScheduleConfig) {
    script.apart();
    script
        .lines("def factor(step):\n    \"\"\"The factor of the learning rate at this step.\"\"\"");
    let share = |staircase: bool, steps: u32| {
        if staircase { format!("(step // {steps})") } else { format!("(step / {steps})") }
    };
    let warm_up = |script: &mut Script, steps: u32, from: f64| {
        if steps > 0 {
            script.add(format_args!("    if step < {steps}:"));
            script.add(format_args!("        return {from:?} + (1 - {from:?}) * step / {steps}"));
        }
    };
    match schedule {
        ScheduleConfig::Constant {} => {}
        ScheduleConfig::Exponential { decay_steps, decay_rate, staircase } => {
            script
                .line(&format!("    return {decay_rate:?} ** {}", share(*staircase, *decay_steps)));
        }
        ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase } => {
            script.add(format_args!(
                "    return 1 / (1 + {decay_rate:?} * {})",
                share(*staircase, *decay_steps)
            ));
        }
        ScheduleConfig::Piecewise { boundaries, factors } => {
            let factors: Vec<f64> = [1.0].into_iter().chain(factors.iter().copied()).collect();
            script.add(format_args!(
                "    return {factors:?}[sum(step > boundary for boundary in {boundaries:?})]"
            ));
        }
        ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha } => {
            warm_up(script, *warmup_steps, *warmup_from);
            script.add(format_args!("    share = min((step - {warmup_steps}) / {decay_steps}, 1)"));
            script.add(format_args!(
                "    return {alpha:?} + (1 - {alpha:?}) * (1 + math.cos(math.pi * share)) / 2"
            ));
        }
        ScheduleConfig::Warmup { warmup_steps, warmup_from } => {
            warm_up(script, *warmup_steps, *warmup_from);
            script.line("    return 1.0");
        }
    }
    script.apart();
}
