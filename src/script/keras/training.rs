//! Compiling and training, by Keras' own training step where that suffices, otherwise by a step in the script.

use super::loss::loss;
use super::optimizer::{learning_rate, optimizer};
use crate::experiment::{EarlyStoppingConfig, Experiment, LayerConfig, Monitor, ScheduleConfig};
use crate::script::text::{Script, flag, unless};

/// Whether a step does something that Keras' own training step does not.
pub fn needs_own_step(experiment: &Experiment) -> bool {
    let training = &experiment.training;
    let steps = &training.training_loop;
    training.augmentation.mixup != 0.0
        || !steps.zero_grad
        || steps.labels_shuffled
        || steps.optimizer_recreated
        || steps.inference_mode
}

/// Whether the script counts the schedule's steps itself, because an optimizer that is new in each step would start at step 0.
pub fn schedule_of_new_optimizers(experiment: &Experiment) -> bool {
    let training = &experiment.training;
    training.training_loop.optimizer_recreated && training.schedule != ScheduleConfig::Constant {}
}

/// Defines the model's class, with its own training step.
pub fn define_own_step(script: &mut Script, experiment: &Experiment) {
    let residual = experiment.network.layers.contains(&LayerConfig::Save {});
    let training = &experiment.training;
    let steps = &training.training_loop;
    let base = if residual { "Model" } else { "Sequential" };
    script.apart();
    script.add(format_args!("class Network(keras.{base}):"));
    script.line("    \"\"\"A model with its own training step.\"\"\"");
    script.line("");
    script.line("    def train_step(self, data):");
    script.line("        images, targets = data");
    if steps.labels_shuffled {
        script.line("        # The mistake: each step pairs images and labels at random.");
        script.line("        targets = tf.random.shuffle(targets)");
    }
    let mixup = training.augmentation.mixup;
    if mixup != 0.0 {
        script.line("        # x / (x + y) has a beta distribution; each image keeps at least half of itself.");
        script.add(format_args!(
            "        x, y = tf.unstack(tf.random.gamma([2], {mixup:?}, dtype=\"float64\"))"
        ));
        script.lines(MIX);
    }
    if steps.inference_mode {
        script.line("        # The mistake: the network stays in inference mode.");
    }
    script.line("        with tf.GradientTape() as tape:");
    script.add(format_args!(
        "            outputs = self(images, training={})",
        if steps.inference_mode { "False" } else { "True" }
    ));
    if mixup == 0.0 {
        script.line("            loss = self.compute_loss(images, targets, outputs)");
    } else {
        script.lines(MIXED_LOSS);
    }
    if !experiment.is_frozen_entirely() {
        update(script, experiment);
    }
    script.lines(MEASURE);
    script.apart();
}

fn update(script: &mut Script, experiment: &Experiment) {
    let training = &experiment.training;
    let steps = &training.training_loop;
    script.line("        weights = self.trainable_weights");
    script.line("        gradients = tape.gradient(loss, weights)");
    if !steps.zero_grad {
        script.line("        # The mistake: gradients are never set to zero, so they add up over all steps.");
        script.line("        gradients = [tf.identity(total.assign_add(new)) for total, new in zip(totals, gradients)]");
    }
    if steps.optimizer_recreated {
        let rate = if schedule_of_new_optimizers(experiment) {
            "float(schedule(next(steps)))".into()
        } else {
            learning_rate(training)
        };
        script.line("        # The mistake: each step makes a new optimizer, without any state.");
        script.add(format_args!("        optimizer = {}", optimizer(training, &rate)));
        script.line("        optimizer.apply_gradients(zip(gradients, weights))");
    } else {
        script.line("        self.optimizer.apply_gradients(zip(gradients, weights))");
    }
}

const MIX: &str = "        share = tf.cast(tf.maximum(x, y) / (x + y), \"float32\")
        order = tf.random.shuffle(tf.range(tf.shape(images)[0]))
        images = share * images + (1.0 - share) * tf.gather(images, order)
        others = tf.gather(targets, order)";

const MIXED_LOSS: &str = "            own = self.compute_loss(images, targets, outputs)
            other = self.compute_loss(images, others, outputs)
            loss = share * own + (1.0 - share) * other";

const MEASURE: &str = "        for metric in self.metrics:
            if metric.name == \"loss\":
                metric.update_state(loss, sample_weight=tf.shape(images)[0])
            else:
                metric.update_state(targets, outputs)
        return self.get_metrics_result()";

/// Writes the lines that compile and train the model.
pub fn train(script: &mut Script, experiment: &Experiment, targets: &str) {
    let training = &experiment.training;
    let steps = &training.training_loop;
    if !steps.zero_grad && !experiment.is_frozen_entirely() {
        script.line(
            "totals = [tf.Variable(tf.zeros(weight.shape)) for weight in model.trainable_weights]",
        );
    }
    if schedule_of_new_optimizers(experiment) {
        script.add(format_args!("schedule = {}", learning_rate(training)));
        script.line("steps = itertools.count()");
    }
    script.line("model.compile(");
    if !steps.optimizer_recreated {
        script
            .add(format_args!("    optimizer={},", optimizer(training, &learning_rate(training))));
    }
    script.add(format_args!("    loss={},", loss(&training.loss)));
    script.line("    metrics=[\"accuracy\"],");
    if steps.optimizer_recreated {
        script.line("    run_eagerly=True,");
    }
    script.line(")");
    if training.augmentation.alters_images() {
        fit_altered(script, experiment, targets);
    } else {
        fit(script, experiment, targets);
    }
}

/// Trains by one `fit` for all epochs.
fn fit(script: &mut Script, experiment: &Experiment, targets: &str) {
    let training = &experiment.training;
    let size = format!("batch_size={}", training.batch_size);
    let epochs = format!("epochs={}", training.epochs);
    let mut more: Vec<String> = held_out(experiment, targets).into_iter().collect();
    let stops = early_stopping(experiment);
    more.extend(stops.as_ref().map(|call| format!("callbacks=[{call}]")));
    if more.is_empty() {
        script.add(format_args!("model.fit(images, {targets}, {size}, {epochs})"));
        return;
    }
    let start = if stops.is_some() { "history = model.fit(" } else { "model.fit(" };
    let mut arguments = vec!["images".into(), targets.into(), size, epochs];
    arguments.extend(more);
    script.long_call(start, &arguments, ")");
}

/// Trains by one `fit` per epoch, each on newly augmented images. Every `fit` would restart early stopping, so the script calls the
/// callback itself.
fn fit_altered(script: &mut Script, experiment: &Experiment, targets: &str) {
    let training = &experiment.training;
    let stops = early_stopping(experiment);
    let mut arguments = vec![
        "altered(images)".to_string(),
        targets.into(),
        format!("batch_size={}", training.batch_size),
        "epochs=1".into(),
    ];
    arguments.extend(held_out(experiment, targets));
    let fit = format!("model.fit({})", arguments.join(", "));
    let Some(stops) = stops else {
        script.add(format_args!("for epoch in range({}):", training.epochs));
        script.add(format_args!("    {fit}"));
        return;
    };
    script.add(format_args!("stopping = {stops}"));
    script.line("stopping.set_model(model)");
    script.line("stopping.on_train_begin()");
    script.add(format_args!("for epoch in range({}):", training.epochs));
    script.add(format_args!("    history = {fit}"));
    script.line("    stopping.on_epoch_end(epoch, {name: values[0] for name, values in history.history.items()})");
    script.line("    if model.stop_training:");
    script.line("        break");
    script.line("stopping.on_train_end()");
}

fn held_out(experiment: &Experiment, targets: &str) -> Option<String> {
    let has_images = experiment.dataset.validation_images > 0;
    has_images.then(|| format!("validation_data=(held_out_images, held_out_{targets})"))
}

fn early_stopping(experiment: &Experiment) -> Option<String> {
    let settings = experiment.training.early_stopping.patience()?;
    let monitor = match settings.monitor {
        Monitor::Loss => "loss",
        Monitor::ValidationLoss => "val_loss",
    };
    let patience = settings.patience;
    let mut arguments = vec![format!("monitor=\"{monitor}\""), format!("patience={patience}")];
    unless(&mut arguments, "min_delta", settings.min_delta, 0.0);
    flag(&mut arguments, "restore_best_weights", settings.restore_best_weights);
    Some(format!("keras.callbacks.EarlyStopping({})", arguments.join(", ")))
}

/// The number of trained epochs, for an f-string.
pub fn epochs(experiment: &Experiment) -> String {
    let training = &experiment.training;
    match (&training.early_stopping, training.augmentation.alters_images()) {
        (EarlyStoppingConfig::None {}, _) => training.epochs.to_string(),
        (_, false) => "{len(history.epoch)}".into(),
        (_, true) => "{epoch + 1}".into(),
    }
}
