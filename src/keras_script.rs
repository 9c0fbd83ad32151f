//! An experiment as the Keras script that does the same.

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::{Activation, Experiment, LayerConfig, OptimizerConfig, Padding};

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ScriptLine {
    pub text: String,
    /// Whether the script that it was compared with has no such line.
    pub differs: bool,
}

/// The script, with the lines marked that the script of `base` has not.
pub fn compared(experiment: &Experiment, base: &Experiment) -> Vec<ScriptLine> {
    let mut unused = lines(base);
    let mark = |text: String| {
        let twin = unused.iter().position(|line| *line == text);
        let differs = twin.is_none();
        if let Some(twin) = twin {
            unused.remove(twin);
        }
        ScriptLine { text, differs }
    };
    lines(experiment).into_iter().map(mark).collect()
}

/// The script as lines. It runs as it is with Keras 3.
pub fn lines(experiment: &Experiment) -> Vec<String> {
    let Experiment { dataset, network, training, seed } = experiment;
    let shape = format!("{0}, {0}, {1}", dataset.side, dataset.channels);
    let mut script: Vec<String> = [
        "import keras",
        "import numpy as np",
        "",
        "# Keras draws other numbers from this seed: other images, the same experiment.",
    ]
    .map(String::from)
    .into();
    script.push(format!("keras.utils.set_random_seed({seed})"));
    script.push(format!(
        "images = np.random.uniform(size=({}, {shape})).astype(\"float32\")",
        dataset.images
    ));
    script
        .push(format!("labels = np.random.randint({}, size={})", dataset.classes, dataset.images));
    script.push(String::new());
    script.push("model = keras.Sequential([".into());
    script.push(format!("    keras.Input(({shape})),"));
    script.extend(network.layers.iter().map(|layer| format!("    keras.layers.{},", call(layer))));
    script.push("])".into());
    script.push("model.compile(".into());
    script.push(format!(
        "    optimizer=keras.optimizers.{},",
        optimizer(&training.optimizer, training.learning_rate)
    ));
    script.push("    loss=\"sparse_categorical_crossentropy\",".into());
    script.push("    metrics=[\"accuracy\"],".into());
    script.push(")".into());
    script.push(format!(
        "model.fit(images, labels, batch_size={}, epochs={})",
        training.batch_size, training.epochs
    ));
    script.push(String::new());
    script.push("loss, accuracy = model.evaluate(images, labels)".into());
    script.push(format!(
        "print(f\"Training accuracy after {} epochs: {{accuracy:.4f}}\")",
        training.epochs
    ));
    script
}

/// A layer's call; what Keras does by itself is left out.
fn call(layer: &LayerConfig) -> String {
    match layer {
        LayerConfig::Conv2d { filters, kernel, padding, use_bias, activation } => {
            let mut arguments = vec![filters.to_string(), kernel.to_string()];
            if *padding == Padding::Same {
                arguments.push("padding=\"same\"".into());
            }
            arguments.extend(options(*activation, *use_bias));
            format!("Conv2D({})", arguments.join(", "))
        }
        LayerConfig::MaxPool { pool } => format!("MaxPooling2D({pool})"),
        LayerConfig::Flatten {} => "Flatten()".into(),
        LayerConfig::Dense { units, use_bias, activation } => {
            let mut arguments = vec![units.to_string()];
            arguments.extend(options(*activation, *use_bias));
            format!("Dense({})", arguments.join(", "))
        }
        LayerConfig::Activation { activation } => {
            format!("Activation(\"{}\")", activation_name(*activation))
        }
    }
}

fn options(activation: Option<Activation>, use_bias: bool) -> impl Iterator<Item = String> {
    let activation = activation.map(|name| format!("activation=\"{}\"", activation_name(name)));
    let bias = (!use_bias).then(|| "use_bias=False".to_string());
    activation.into_iter().chain(bias)
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Softmax => "softmax",
    }
}

/// An optimizer's call. Numbers keep their point: Keras 3.15 refuses the integer in `SGD(learning_rate=1)`.
fn optimizer(config: &OptimizerConfig, learning_rate: f64) -> String {
    let mut arguments = vec![format!("learning_rate={learning_rate:?}")];
    let mut unless = |name: &str, value: f64, default: f64| {
        if value != default {
            arguments.push(format!("{name}={value:?}"));
        }
    };
    match *config {
        OptimizerConfig::Adam { beta_1, beta_2, epsilon } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.999);
            unless("epsilon", epsilon, 1e-7);
        }
        OptimizerConfig::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
            unless("beta_1", beta_1, 0.9);
            unless("beta_2", beta_2, 0.999);
            unless("epsilon", epsilon, 1e-7);
            unless("weight_decay", weight_decay, 0.004);
        }
        OptimizerConfig::Sgd { momentum, nesterov, weight_decay } => {
            unless("momentum", momentum, 0.0);
            unless("weight_decay", weight_decay, 0.0);
            if nesterov {
                arguments.push("nesterov=True".into());
            }
        }
        OptimizerConfig::RmsProp { rho, epsilon } => {
            unless("rho", rho, 0.9);
            unless("epsilon", epsilon, 1e-7);
        }
    }
    format!("{}({})", config.keras_name(), arguments.join(", "))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets;

    #[wasm_bindgen_test(unsupported = test)]
    fn the_article_is_written_as_its_author_did() {
        let rows = [
            ("example-1", "keras.layers.Conv2D(32, 3, activation=\"relu\"),"),
            ("example-1", "optimizer=keras.optimizers.Adam(learning_rate=0.001),"),
            ("example-2", "keras.layers.Dense(128, activation=\"relu\"),"),
            ("example-3", "keras.layers.Dense(2, activation=\"softmax\", use_bias=False),"),
            ("example-3", "optimizer=keras.optimizers.SGD(learning_rate=1.0),"),
            ("example-3", "model.fit(images, labels, batch_size=20, epochs=1000)"),
        ];
        for (preset, line) in rows {
            let script = lines(&presets::preset(preset).unwrap().experiment);
            assert!(script.iter().any(|text| text.trim() == line), "{line} in {script:#?}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn only_what_differs_is_marked() {
        let base = presets::preset("example-1").unwrap().experiment;
        let mut changed = base.clone();
        assert!(compared(&changed, &base).iter().all(|line| !line.differs));
        changed.set("training.optimizer", "nesterov").unwrap();
        changed.set("network.conv_bias", "off").unwrap();
        let script = compared(&changed, &base);
        let marked: Vec<_> =
            script.iter().filter(|line| line.differs).map(|line| line.text.trim()).collect();
        assert_eq!(
            marked,
            [
                "keras.layers.Conv2D(32, 3, activation=\"relu\", use_bias=False),",
                "optimizer=keras.optimizers.SGD(learning_rate=0.001, momentum=0.9, nesterov=True),",
            ]
        );
    }
}
