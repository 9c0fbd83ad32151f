//! An experiment as a script that does the same in Keras or PyTorch.

mod data;
mod keras;
mod text;
mod torch;

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::Experiment;

/// The framework that a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    Keras,
    PyTorch,
}

/// A framework's id and name, for the page's list of frameworks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct FrameworkChoice {
    #[tsify(type = "string")]
    pub id: &'static str,
    #[tsify(type = "string")]
    pub name: &'static str,
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct ScriptLine {
    pub text: String,
    /// Whether the script of the base experiment has no such line.
    pub differs: bool,
}

impl Framework {
    pub const ALL: [Self; 2] = [Self::Keras, Self::PyTorch];

    pub fn choice(self) -> FrameworkChoice {
        match self {
            Self::Keras => FrameworkChoice { id: "keras", name: "Keras" },
            Self::PyTorch => FrameworkChoice { id: "pytorch", name: "PyTorch" },
        }
    }

    /// The framework with this id.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|framework| framework.choice().id == id)
    }
}

/// The script, with the lines marked that the script of `base` does not have.
pub fn compared(
    experiment: &Experiment,
    base: &Experiment,
    framework: Framework,
) -> Vec<ScriptLine> {
    let mut unused = lines(base, framework);
    let mark = |text: String| {
        let twin = unused.iter().position(|line| *line == text);
        let differs = twin.is_none();
        if let Some(twin) = twin {
            unused.remove(twin);
        }
        ScriptLine { text, differs }
    };
    lines(experiment, framework).into_iter().map(mark).collect()
}

/// The lines of the script. It runs without changes.
pub fn lines(experiment: &Experiment, framework: Framework) -> Vec<String> {
    match framework {
        Framework::Keras => keras::lines(experiment),
        Framework::PyTorch => torch::lines(experiment),
    }
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
            let script = lines(&presets::preset(preset).unwrap().experiment, Framework::Keras);
            assert!(script.iter().any(|text| text.trim() == line), "{line} in {script:#?}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn scripts_hold_only_what_the_experiment_needs() {
        // A field, its value, and the words that it adds to the scripts of Keras and PyTorch.
        type Row = (&'static str, &'static str, [&'static str; 2]);
        let rows: [Row; 12] = [
            ("training.loop.zero_grad", "false", ["totals", "zero_grad() is missing"]),
            ("training.loop.frozen", "[0]", ["trainable=False", "frozen = [model[0]]"]),
            ("training.loop.frozen", "[0, 3]", ["trainable=False", "deepcopy(model)"]),
            ("training.loop.inference_mode", "true", ["training=False", "    model.eval()"]),
            ("training.loop.optimizer_recreated", "true", ["run_eagerly", "new optimizer"]),
            ("training.loop.labels_shuffled", "true", ["tf.random.shuffle", "len(targets)"]),
            ("training.loop.labels_rolled_by", "3", ["np.roll(labels, 3)"; 2]),
            ("training.augmentation.crop", "0.1", ["def altered"; 2]),
            ("training.augmentation.mixup", "0.2", ["tf.random.gamma", "np.random.beta"]),
            ("dataset.validation_images", "4", ["validation_data", "held_out_x"]),
            ("training.schedule", "cosine", ["CosineDecay", "import math"]),
            ("network.regularizer.l2", "0.1", ["L1L2", "penalty()"]),
        ];
        let base = presets::preset("example-1").unwrap().experiment;
        for (field, value, expected) in rows {
            let mut changed = base.clone();
            changed.set(field, value).unwrap();
            for (framework, words) in Framework::ALL.into_iter().zip(expected) {
                let count = |experiment: &Experiment| {
                    let script = lines(experiment, framework).join("\n");
                    script.matches(words).count()
                };
                let (before, after) = (count(&base), count(&changed));
                assert!(after > before, "{field}, {framework:?}: {before} and {after}");
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn only_what_differs_is_marked() {
        let base = presets::preset("example-1").unwrap().experiment;
        let mut changed = base.clone();
        assert!(compared(&changed, &base, Framework::Keras).iter().all(|line| !line.differs));
        changed.set("training.optimizer", "nesterov").unwrap();
        changed.set("network.conv_bias", "off").unwrap();
        let script = compared(&changed, &base, Framework::Keras);
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
