//! Losses: Keras' formula by PyTorch's functions where they have it, otherwise the same mistake as a PyTorch user makes it.

use crate::experiment::{Activation, Experiment, LayerConfig, LossConfig};
use crate::script::text::{Script, call, unless};

pub struct Loss {
    /// Lines that make `loss_of(outputs, labels)`.
    definition: Vec<String>,
    /// Whether the loss takes the logits. Then the model leaves out its last activation.
    pub takes_logits: bool,
    /// The Python expression that says for each image whether the answer is right.
    pub right: &'static str,
}

const LARGEST: &str = "outputs.argmax(1) == y";
const ABOVE_HALF: &str = "(outputs[:, 0] > 0.5) == y";
/// A sigmoid above 0.5 has a logit above 0.
const ABOVE_ZERO: &str = "(outputs[:, 0] > 0) == y";

/// The softmax of one unit is 1, and so is the answer.
const ALWAYS_ONE: &str = "y == 1";

const NO_FOCAL_LOSS: &str = "PyTorch has no focal loss; this is Keras' formula.";

const CLIPPED: &str =
    "Keras takes these outputs for probabilities and clips them; clipped values have no gradient.";

impl Loss {
    pub fn define(&self, script: &mut Script) {
        let definition = self.definition.join("\n");
        if definition.starts_with("def") {
            script.define(&definition)
        } else {
            script.lines(&definition)
        }
    }

    pub fn of(experiment: &Experiment) -> Self {
        let network = &experiment.network;
        let head = network.layers.last().and_then(LayerConfig::activation);
        let head = head.filter(|head| matches!(head, Activation::Softmax | Activation::Sigmoid));
        let writer = Writer {
            head,
            units: experiment.output_units(),
            labels_beyond_one: experiment.dataset.last_label() > 1,
        };
        match experiment.training.loss {
            LossConfig::SparseCategoricalCrossentropy { from_logits } => {
                writer.categorical(from_logits, 0.0, true)
            }
            LossConfig::CategoricalCrossentropy { from_logits, label_smoothing } => {
                writer.categorical(from_logits, label_smoothing, false)
            }
            LossConfig::BinaryCrossentropy { from_logits, label_smoothing } => {
                writer.binary(from_logits, label_smoothing)
            }
            LossConfig::CategoricalFocalCrossentropy {
                alpha,
                gamma,
                from_logits,
                label_smoothing,
            } => {
                let smoothing = Smoothing { amount: label_smoothing, over: writer.units };
                let shares = if from_logits { "outputs.softmax(1)" } else { "outputs" };
                let value = format!(
                    "shares = {shares}\nshares = (shares / shares.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)\n-({alpha:?} * (1 - shares) ** {gamma:?} * targets * shares.log()).sum(1).mean()"
                );
                writer.function(NO_FOCAL_LOSS, smoothing, &value)
            }
            LossConfig::BinaryFocalCrossentropy {
                apply_class_balancing,
                alpha,
                gamma,
                from_logits,
                label_smoothing,
            } => {
                let balanced = apply_class_balancing.then_some(alpha);
                writer.binary_focal(balanced, gamma, from_logits, label_smoothing)
            }
            LossConfig::MeanSquaredError {} => {
                writer.function("", Smoothing::NONE, "nn.functional.mse_loss(outputs, targets)")
            }
            LossConfig::TorchCrossEntropy { label_smoothing } => {
                let twice = head == Some(Activation::Softmax);
                let comment = if twice {
                    "# This loss applies a softmax itself, so softmax is applied twice."
                } else {
                    ""
                };
                writer.cross_entropy(comment, label_smoothing, false)
            }
        }
    }
}

/// Label smoothing: `amount` of each target is spread over this many classes.
#[derive(Clone, Copy)]
struct Smoothing {
    amount: f64,
    over: u32,
}

impl Smoothing {
    const NONE: Self = Self { amount: 0.0, over: 1 };
}

struct Writer {
    /// The last activation, where Keras finds the logits before it.
    head: Option<Activation>,
    /// The size of the network's output for one image.
    units: u32,
    /// Whether there are labels other than 0 and 1.
    labels_beyond_one: bool,
}

impl Writer {
    fn categorical(&self, from_logits: bool, smoothing: f64, sparse: bool) -> Loss {
        let finds_logits = self.head.is_some() || from_logits;
        let per_unit = Smoothing { amount: smoothing, over: self.units };
        if finds_logits && self.units == 1 {
            let doc = "Over one unit this loss is 0, and so is PyTorch's gradient. Keras' gradient is not, and its weights diverge.";
            return self.function(doc, per_unit, "nn.functional.cross_entropy(outputs, targets)");
        }
        if finds_logits {
            let comment = match self.head {
                Some(Activation::Softmax) => "# The softmax is part of this loss.",
                Some(_) => {
                    "# Keras' loss takes the logits of the sigmoids and applies a softmax to them."
                }
                None => "",
            };
            return self.cross_entropy(comment, smoothing, true);
        }
        if sparse {
            let lines = [
                "def loss_of(outputs, labels):".into(),
                format!("    \"\"\"{CLIPPED}\"\"\""),
                "    kept = outputs.clamp(1e-7, 1 - 1e-7)".into(),
                "    return nn.functional.nll_loss((kept / kept.sum(1, keepdim=True)).log(), labels)".into(),
            ];
            return self.made(lines.into(), false);
        }
        self.function(
            CLIPPED,
            per_unit,
            "-(targets * (outputs / outputs.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()).sum(1).mean()",
        )
    }

    fn binary(&self, from_logits: bool, smoothing: f64) -> Loss {
        // Keras smooths over the two answers of a unit.
        let two_sided = Smoothing { amount: smoothing, over: 2 };
        let logits = "nn.functional.binary_cross_entropy_with_logits(outputs, targets)";
        // PyTorch's loss of probabilities refuses targets outside 0 and 1, its loss of logits does not.
        let refuses_targets = self.units == 1 && self.labels_beyond_one;
        match self.head {
            Some(Activation::Softmax) if refuses_targets => {
                let doc = "Keras applies a sigmoid to the logit of the softmax.";
                Loss { takes_logits: true, right: ALWAYS_ONE, ..self.function(doc, two_sided, logits) }
            }
            Some(Activation::Softmax) if self.units == 1 => self.function(
                "Keras' loss takes the logit of the softmax, and falls. This loss takes the output, always 1, and stays at\n    100 times the share of class 0, because PyTorch bounds the logarithm at -100.",
                two_sided,
                "nn.functional.binary_cross_entropy(outputs, targets)",
            ),
            Some(Activation::Softmax) => {
                let doc = "Keras applies a sigmoid to each logit of the softmax.";
                Loss { takes_logits: true, ..self.function(doc, two_sided, logits) }
            }
            Some(_) => {
                let right = if self.units == 1 { ABOVE_ZERO } else { LARGEST };
                let doc = "The sigmoid is part of this loss.";
                Loss { takes_logits: true, right, ..self.function(doc, two_sided, logits) }
            }
            None if from_logits => self.function("", two_sided, logits),
            None if refuses_targets => self.function(
                CLIPPED,
                two_sided,
                "-(targets * outputs.clamp(1e-7, 1 - 1e-7).log() + (1 - targets) * (1 - outputs.clamp(1e-7, 1 - 1e-7)).log()).mean()",
            ),
            None => self.function(
                CLIPPED,
                two_sided,
                "nn.functional.binary_cross_entropy(outputs.clamp(1e-7, 1 - 1e-7), targets)",
            ),
        }
    }

    fn binary_focal(
        &self,
        balanced: Option<f64>,
        gamma: f64,
        from_logits: bool,
        smoothing: f64,
    ) -> Loss {
        let one = self.units == 1;
        let usual = if one { ABOVE_HALF } else { LARGEST };
        // Keras' cross-entropy looks past the last activation, unless `from_logits` takes the outputs for logits.
        let (takes_logits, shares, right) = match (from_logits, self.head) {
            (true, _) => (false, "outputs.sigmoid()", usual),
            (false, Some(Activation::Softmax)) => {
                (true, "outputs.softmax(1)", if one { ALWAYS_ONE } else { LARGEST })
            }
            (false, Some(_)) => (true, "outputs.sigmoid()", if one { ABOVE_ZERO } else { LARGEST }),
            (false, None) => (false, "outputs", usual),
        };
        let entropy = if shares == "outputs" {
            "kept = shares.clamp(1e-7, 1 - 1e-7)\nentropy = -(targets * kept.log() + (1 - targets) * (1 - kept).log())"
        } else {
            "entropy = nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction=\"none\")"
        };
        let weight = balanced.map_or(String::new(), |alpha| {
            format!("(targets * {alpha:?} + (1 - targets) * (1 - {alpha:?})) * ")
        });
        let value = format!(
            "shares = {shares}\n{entropy}\nwrong = targets * (1 - shares) + (1 - targets) * shares\n({weight}wrong ** {gamma:?} * entropy).mean()"
        );
        let two_sided = Smoothing { amount: smoothing, over: 2 };
        Loss { takes_logits, right, ..self.function(NO_FOCAL_LOSS, two_sided, &value) }
    }

    fn cross_entropy(&self, comment: &str, smoothing: f64, takes_logits: bool) -> Loss {
        let mut arguments = Vec::new();
        unless(&mut arguments, "label_smoothing", smoothing, 0.0);
        let made = format!("loss_of = {}", call("nn.CrossEntropyLoss", &arguments));
        let lines = [comment.to_string(), made];
        self.made(lines.into_iter().filter(|line| !line.is_empty()).collect(), takes_logits)
    }

    /// A loss whose targets are one-hot rows, or a column of labels for one unit. The last line of `value` is the loss; the lines
    /// before it compute its parts.
    fn function(&self, doc: &str, smoothing: Smoothing, value: &str) -> Loss {
        let mut lines = vec!["def loss_of(outputs, labels):".to_string()];
        if !doc.is_empty() {
            lines.extend(format!("    \"\"\"{doc}\"\"\"").lines().map(String::from));
        }
        lines.push(if self.units == 1 {
            "    targets = labels[:, None].float()".into()
        } else {
            format!("    targets = nn.functional.one_hot(labels, {}).float()", self.units)
        });
        if smoothing.amount != 0.0 {
            let Smoothing { amount, over } = smoothing;
            lines.push(format!("    targets = (1 - {amount:?}) * targets + {amount:?} / {over}"));
        }
        let (before, value) = value.rsplit_once('\n').unwrap_or(("", value));
        lines.extend(before.lines().map(|line| format!("    {line}")));
        lines.push(format!("    return {value}"));
        self.made(lines, false)
    }

    fn made(&self, definition: Vec<String>, takes_logits: bool) -> Loss {
        let right = if self.units == 1 { ABOVE_HALF } else { LARGEST };
        Loss { definition, takes_logits: takes_logits && self.head.is_some(), right }
    }
}
