//! An experiment as a PyTorch script that does the same, in the style of PyTorch's users.

mod layers;
mod loss;
mod optimizer;
mod training;
mod weights;

use super::data;
use super::text::Script;
use crate::experiment::Experiment;
use layers::Model;
use loss::Loss;

/// The lines of the script. It runs without changes in PyTorch 2.
pub fn lines(experiment: &Experiment) -> Vec<String> {
    let loss = Loss::of(experiment);
    let model = Model::of(experiment, loss.takes_logits);
    let mut script = Script::default();
    let copies = training::copies(experiment);
    let cosine = optimizer::needs_math(&experiment.training);
    for (module, needed) in [("copy", copies), ("math", cosine)] {
        if needed {
            script.add(format_args!("import {module}"));
        }
    }
    if copies || cosine {
        script.line("");
    }
    script.lines("import numpy as np\nimport torch\nfrom torch import nn");
    script.gap();
    script.line("# PyTorch draws different images from this seed; the experiment is the same.");
    script.add(format_args!("np.random.seed({})", experiment.seed));
    script.add(format_args!("torch.manual_seed({})", experiment.seed));
    model.define_classes(&mut script);
    optimizer::define_class(&mut script, &experiment.training);
    data::define_altered(&mut script, &experiment.training.augmentation);
    data::draw(&mut script, experiment);
    script.line("# PyTorch puts channels first. So Flatten's order differs, which does not matter for random weights.");
    tensors(&mut script, "");
    if experiment.dataset.validation_images > 0 {
        tensors(&mut script, "held_out_");
    }
    script.gap();
    model.make(&mut script);
    weights::initialise(&mut script, experiment, &model);
    weights::name(&mut script, experiment, &model);
    script.gap();
    loss.define(&mut script);
    optimizer::make(&mut script, experiment, &model);
    training::train(&mut script, experiment, &model, &loss);
    script.line("");
    script.line("loss, accuracy = evaluate(x, y)");
    script.add(format_args!(
        "print(f\"Training accuracy after {} epochs: {{accuracy:.4f}}\")",
        training::epochs(experiment)
    ));
    script.line("print(f\"Loss: {loss:.6f}\")");
    script.0
}

fn tensors(script: &mut Script, start: &str) {
    script.add(format_args!("{start}x = {}", channels_first(&format!("{start}images"))));
    script.add(format_args!("{start}y = torch.from_numpy({start}labels)"));
}

fn channels_first(images: &str) -> String {
    format!("torch.from_numpy({images}).permute(0, 3, 1, 2)")
}
