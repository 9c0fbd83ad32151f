//! Evaluation and the training loop in PyTorch.

use super::channels_first;
use super::layers::Model;
use super::loss::Loss;
use super::optimizer::{before_update, comment, optimizer};
use super::weights::is_regularised;
use crate::experiment::{
    ConstraintConfig, EarlyStoppingConfig, Experiment, LayerConfig, Monitor, Patience,
    ScheduleConfig,
};
use crate::script::text::Script;

/// Whether the script needs `copy`: for the best weights, or for the optimizer's copy of the model.
pub fn copies(experiment: &Experiment) -> bool {
    experiment.training.early_stopping.restores_best_weights() || experiment.is_frozen_entirely()
}

/// The number of trained epochs, for an f-string.
pub fn epochs(experiment: &Experiment) -> String {
    match experiment.training.early_stopping {
        EarlyStoppingConfig::None {} => experiment.training.epochs.to_string(),
        _ => "{epoch + 1}".into(),
    }
}

pub fn train(script: &mut Script, experiment: &Experiment, model: &Model, loss: &Loss) {
    let training = &experiment.training;
    let steps = &training.training_loop;
    let penalty = if is_regularised(experiment) { " + penalty()" } else { "" };
    script.apart();
    script.lines("def evaluate(x, y):\n    model.eval()\n    with torch.no_grad():\n        outputs = model(x)");
    script.add(format_args!("        right = {}", loss.right));
    script.add(format_args!("        loss = loss_of(outputs, y){penalty}"));
    script.lines("    return loss.item(), right.float().mean().item()");
    script.apart();
    let stops = training.early_stopping != EarlyStoppingConfig::None {};
    if stops {
        script.line("best, waited = None, 0");
    }
    let counts = steps.optimizer_recreated && training.schedule != ScheduleConfig::Constant {};
    if counts {
        script.line("step = 0");
    }
    script.add(format_args!("for epoch in range({}):", training.epochs));
    set_mode(script, experiment, model);
    let mut inputs = "x[batch]";
    if training.augmentation.alters_images() {
        script.add(format_args!("    altered_x = {}", channels_first("altered(images)")));
        inputs = "altered_x[batch]";
    }
    let watches = stops && !training.early_stopping.needs_validation();
    if watches {
        script.line("    total = 0.0");
    }
    let images = experiment.dataset.images;
    script.add(format_args!(
        "    for batch in torch.randperm({images}).split({}):",
        training.batch_size
    ));
    step(script, experiment, model, [inputs, penalty]);
    if watches {
        script.line("        total += loss.item() * len(batch)");
    }
    if experiment.dataset.validation_images > 0 {
        script.line("    held_out_loss, held_out_accuracy = evaluate(held_out_x, held_out_y)");
        script.line("    print(f\"Epoch {epoch + 1}: held-out loss {held_out_loss:.4f}, accuracy {held_out_accuracy:.4f}\")");
    }
    stop_early(script, experiment);
}

fn set_mode(script: &mut Script, experiment: &Experiment, model: &Model) {
    if experiment.training.training_loop.inference_mode {
        script.line("    # The mistake: the network stays in inference mode.");
        script.line("    model.eval()");
        return;
    }
    script.line("    model.train()");
    let layers = &experiment.network.layers;
    let norms = model
        .frozen(experiment)
        .filter(|(index, _)| matches!(layers[*index], LayerConfig::BatchNorm { .. }));
    for (index, (_, name)) in norms.enumerate() {
        if index == 0 {
            script.line("    # In Keras, frozen batch normalisation is in inference mode.");
        }
        script.add(format_args!("    {name}.eval()"));
    }
}

/// Writes one training step.
fn step(script: &mut Script, experiment: &Experiment, model: &Model, [inputs, penalty]: [&str; 2]) {
    let training = &experiment.training;
    let steps = &training.training_loop;
    let mixup = training.augmentation.mixup;
    let mut value = format!("loss_of(model({inputs}), y[batch])");
    if steps.labels_shuffled || mixup != 0.0 {
        script.add(format_args!("        inputs, targets = {inputs}, y[batch]"));
        value = "loss_of(model(inputs), targets)".into();
    }
    if steps.labels_shuffled {
        script.line("        # The mistake: each step pairs images and labels at random.");
        script.line("        targets = targets[torch.randperm(len(targets))]");
    }
    if mixup != 0.0 {
        script.add(format_args!("        share = float(np.random.beta({mixup:?}, {mixup:?}))"));
        script.line("        share = max(share, 1 - share)");
        script.line("        others = torch.randperm(len(inputs))");
        script.line("        outputs = model(share * inputs + (1 - share) * inputs[others])");
        value =
            "share * loss_of(outputs, targets) + (1 - share) * loss_of(outputs, targets[others])"
                .into();
    }
    let scheduled = training.schedule != ScheduleConfig::Constant {};
    if steps.optimizer_recreated {
        let factor = if scheduled { " * factor(step)" } else { "" };
        let rate = format!("{:?}{factor}", training.learning_rate);
        script.line("        # The mistake: each step makes a new optimizer, without any state.");
        if let Some(comment) = comment(&training.optimizer) {
            script.add(format_args!("        {comment}"));
        }
        script.add(format_args!("        optimizer = {}", optimizer(experiment, model, &rate)));
    }
    if steps.zero_grad {
        script.line("        optimizer.zero_grad()");
    } else {
        script.line("        # The mistake: optimizer.zero_grad() is missing, so gradients add up over all steps.");
    }
    script.add(format_args!("        loss = {value}{penalty}"));
    script.line("        loss.backward()");
    before_update(script, experiment, model);
    script.line("        optimizer.step()");
    if let ConstraintConfig::MaxNorm { limit } = experiment.network.constraint
        && !experiment.is_frozen_entirely()
    {
        script.line("        for kernel in kernels:");
        script.add(format_args!("            kernel.data.renorm_(2, 0, {limit:?})"));
    }
    if scheduled {
        let next = if steps.optimizer_recreated { "step += 1" } else { "schedule.step()" };
        script.add(format_args!("        {next}"));
    }
}

/// Writes early stopping by the rules of Keras' `EarlyStopping`.
fn stop_early(script: &mut Script, experiment: &Experiment) {
    let Some(settings) = experiment.training.early_stopping.patience() else {
        return;
    };
    let Patience { monitor, patience, min_delta, restore_best_weights: restores } = settings;
    let watched = match monitor {
        Monitor::Loss => format!("total / {}", experiment.dataset.images),
        Monitor::ValidationLoss => "held_out_loss".into(),
    };
    script.add(format_args!("    watched = {watched}"));
    script.line("    waited += 1");
    let delta = if min_delta == 0.0 { String::new() } else { format!(" + {min_delta:?}") };
    script.add(format_args!("    if best is None or watched{delta} < best:"));
    script.line("        best, waited = watched, 0");
    if restores {
        script.line("        best_weights = copy.deepcopy(model.state_dict())");
    }
    script.add(format_args!("    elif waited >= {patience} and epoch > 0:"));
    script.line("        break");
    if restores {
        script.line("model.load_state_dict(best_weights)");
    }
}
