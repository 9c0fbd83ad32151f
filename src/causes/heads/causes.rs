//! The mistakes that people report of heads and losses.

use crate::causes::{Cause, Level};

macro_rules! small_with_head {
    ($head:literal) => {
        concat!(
            r#"[{"type":"conv2d","filters":32,"activation":"relu"},{"type":"max_pool"},{"type":"flatten"},"#,
            $head,
            "]"
        )
    };
}

const SIGMOID: (&str, &str) =
    ("network.layers[3]", r#"{"type":"dense","units":1,"activation":"sigmoid"}"#);
const BINARY: (&str, &str) = ("training.loss", "binary_crossentropy");
const EPOCHS_100: (&str, &str) = ("training.epochs", "100");
const EPOCHS_300: (&str, &str) = ("training.epochs", "300");

/// ln(e + 1) - 1: the lower bound of the loss of two classes where softmax is applied twice.
const TWICE: f64 = 0.313_261_687_518_222_86;

pub(in crate::causes) const CAUSES: &[Cause] = &[
    Cause {
        code: "one-softmax-unit",
        sign: "one-softmax-unit",
        name: "One softmax unit",
        summary: "Dense(1, softmax) with binary cross-entropy",
        sees: "Accuracy is the share of class 1 and never changes, while the loss falls to 0.",
        does: "Softmax over one unit is 1 for every image. Keras 3 computes the loss from the logit before it, so the loss still falls.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        level: Level::LossWithoutAccuracy,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[("network.layers[3].activation", "softmax")],
    },
    Cause {
        code: "one-softmax-unit-hidden",
        sign: "one-softmax-unit",
        name: "One softmax unit, logit lost",
        summary: "Dense(1, softmax), then a Reshape that hides the logit",
        sees: "Accuracy is the share of class 1, and neither it nor the loss changes.",
        does: "The answer is always 1: the loss stays at 15.942 times the share of class 0, as in old Keras; PyTorch clips elsewhere and stays at 100 times that share.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        // -log(1 - q) of the largest q that f32 clips to, for one half of the images.
        level: Level::StuckAt(23.0 * std::f64::consts::LN_2 / 2.0),
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":1,"activation":"softmax"},{"type":"reshape"}"#
            ),
        )],
    },
    Cause {
        code: "one-unit-categorical",
        sign: "one-unit-categorical",
        name: "Categorical loss on one unit",
        summary: "Dense(1, softmax) with categorical cross-entropy",
        sees: "The loss is 0 from the first epoch on, and accuracy does not change.",
        does: "The loss of one class out of one is 0 whatever the network answers; its gradient in Keras is not, and the weights diverge.",
        mends: "Use sigmoid with binary cross-entropy.",
        level: Level::LossWithoutAccuracy,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[
            ("network.layers[3].activation", "softmax"),
            ("training.loss", "categorical_crossentropy"),
        ],
    },
    Cause {
        code: "linear-head",
        sign: "outputs-clipped",
        name: "Logits taken for probabilities",
        summary: "No activation at the end, from_logits left False",
        sees: "The loss starts at several times ln 2 = 0.6931 and stops at exactly ln 2.",
        does: "Logits are clipped to 0 to 1 as if they were probabilities, and clipped values have no gradient.",
        mends: "Set from_logits=True, or end with softmax.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[
            ("network.layers[3].activation", "none"),
            ("training.loss.from_logits", "true"),
            EPOCHS_100,
        ],
        mistake: &[("training.loss.from_logits", "false")],
    },
    Cause {
        code: "relu-head",
        sign: "relu-at-the-end",
        name: "ReLU as the last activation",
        summary: "Dense(2, relu), sparse categorical cross-entropy",
        sees: "The loss stops at exactly ln 2 = 0.6931 within a few epochs.",
        does: "The output of the ReLU is taken for probabilities and clipped; every unit ends at 0 and gets no gradient.",
        mends: "End with softmax.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[EPOCHS_100],
        mistake: &[("network.layers[3].activation", "relu")],
    },
    Cause {
        code: "relu-head-one-hot",
        sign: "relu-at-the-end",
        name: "ReLU as the last activation, one-hot",
        summary: "Dense(2, relu), categorical cross-entropy",
        sees: "The loss stays at 16.118 times the share of wrong answers or is not a number, depending on the seed.",
        does: "The outputs are divided by their sum: where one is 0, the other is certain; where both are 0, the result is 0 / 0.",
        mends: "End with softmax.",
        // -ln(1e-7) for one half of the images.
        level: Level::StuckAtOrNan(8.059_047_825_479_16),
        healthy: &[("training.loss", "categorical_crossentropy"), EPOCHS_100],
        mistake: &[("network.layers[3].activation", "relu")],
    },
    Cause {
        code: "relu-before-softmax",
        sign: "relu-at-the-end",
        name: "ReLU before softmax",
        summary: "Dense(2, relu), then a softmax layer",
        sees: "With most seeds the loss falls to exactly ln 2 = 0.6931 and stays there; with some the network learns.",
        does: "Logits below 0 are cut off: a class whose logit is 0 for every image no longer has a gradient.",
        mends: "Delete the ReLU of the last dense layer.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[EPOCHS_100],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":2,"activation":"relu"},{"type":"activation","activation":"softmax"}"#
            ),
        )],
    },
    Cause {
        code: "softmax-twice",
        sign: "softmax-twice",
        name: "Softmax twice",
        summary: "A softmax layer after a softmax activation",
        sees: "Every image is right, and the loss stops at 0.3133.",
        does: "A softmax of probabilities cannot be certain: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy still reaches 100 %; only the loss shows the mistake.",
        mends: "Apply softmax once.",
        level: Level::MemorisedAt(TWICE),
        healthy: &[EPOCHS_300],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":2,"activation":"softmax"},{"type":"activation","activation":"softmax"}"#
            ),
        )],
    },
    Cause {
        code: "torch-loss-after-softmax",
        sign: "softmax-twice",
        name: "CrossEntropyLoss after softmax",
        summary: "PyTorch's loss takes logits but gets probabilities",
        sees: "Every image is right, and the loss stops at 0.3133.",
        does: "nn.CrossEntropyLoss applies a softmax itself: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy still reaches 100 %; only the loss shows the mistake.",
        mends: "Delete the softmax, so that the loss gets logits.",
        level: Level::MemorisedAt(TWICE),
        healthy: &[
            ("network.layers[3].activation", "none"),
            ("training.loss", "torch_cross_entropy"),
            EPOCHS_300,
        ],
        mistake: &[("network.layers[3].activation", "softmax")],
    },
    Cause {
        code: "from-logits-after-softmax",
        sign: "from-logits-changes-nothing",
        name: "from_logits after softmax",
        summary: "Softmax at the end, and from_logits=True",
        sees: "Keras 3 warns, and training looks normal.",
        does: "Keras finds the logits before the softmax by itself, so the images are still memorised.",
        mends: "Leave from_logits False after softmax.",
        level: Level::Memorised,
        healthy: &[EPOCHS_100],
        mistake: &[("training.loss.from_logits", "true")],
    },
    Cause {
        code: "sigmoid-per-class",
        sign: "sigmoid-per-class",
        name: "Sigmoid per class",
        summary: "Two sigmoid units with a categorical loss",
        sees: "Training looks normal, but the outputs do not add up to 1.",
        does: "Keras applies a softmax to the logits before the sigmoids, so the images are still memorised.",
        mends: "Use softmax, for outputs that add up to 1.",
        level: Level::Memorised,
        healthy: &[EPOCHS_100],
        mistake: &[("network.layers[3].activation", "sigmoid")],
    },
    Cause {
        code: "accuracy-of-logits",
        sign: "accuracy-of-logits",
        name: "Accuracy of logits",
        summary: "One linear unit with from_logits=True",
        sees: "Accuracy lags behind the loss.",
        does: "Keras' accuracy says class 1 where the output is above 0.5, but a logit means class 1 above 0 already. The weights are fine, and the images are still memorised.",
        mends: "End with sigmoid, or give BinaryAccuracy a threshold of 0.",
        level: Level::Memorised,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[("network.layers[3].activation", "none"), ("training.loss.from_logits", "true")],
    },
];
