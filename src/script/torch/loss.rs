//! Losses: what Keras computes in PyTorch's words, where there are any, and otherwise the same mistake as it looks there.

use crate::experiment::{Activation, Experiment, LayerConfig, LossConfig};
use crate::script::text::{Script, call, unless};

pub struct Loss {
    /// Lines that make `loss_of(outputs, labels)`.
    definition: Vec<String>,
    /// Whether it takes the scores in front of the last activation, which the model goes without.
    pub takes_scores: bool,
    /// Which images are answered rightly, in Python.
    pub right: &'static str,
}

const LARGEST: &str = "outputs.argmax(1) == y";
const ABOVE_HALF: &str = "(outputs[:, 0] > 0.5) == y";
/// A sigmoid above 0.5 has a score above 0.
const ABOVE_ZERO: &str = "(outputs[:, 0] > 0) == y";

const CLIPPED: &str =
    "Keras takes these outputs for probabilities and clips them; what is clipped has no gradient.";

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
            one: experiment.output_units() == 1,
            classes: experiment.dataset.classes,
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
            LossConfig::MeanSquaredError {} => {
                writer.function("", 0.0, "nn.functional.mse_loss(outputs, targets)")
            }
            LossConfig::TorchCrossEntropy { label_smoothing } => {
                let twice = head == Some(Activation::Softmax);
                let comment = if twice {
                    "# This loss takes a softmax itself: here it is taken twice."
                } else {
                    ""
                };
                writer.cross_entropy(comment, label_smoothing, false)
            }
        }
    }
}

struct Writer {
    /// What Keras finds scores behind.
    head: Option<Activation>,
    /// Whether there is one unit.
    one: bool,
    classes: u32,
}

impl Writer {
    fn categorical(&self, from_logits: bool, smoothing: f64, sparse: bool) -> Loss {
        let finds_scores = self.head.is_some() || from_logits;
        if finds_scores && self.one {
            let doc = "Over one unit this is 0. Keras' gradient is not, and its weights run away; PyTorch's is 0, too.";
            return self.function(doc, smoothing, "nn.functional.cross_entropy(outputs, targets)");
        }
        if finds_scores {
            let comment = match self.head {
                Some(Activation::Softmax) => "# The softmax is in this loss.",
                Some(_) => {
                    "# A softmax of the scores: the loss that Keras finds behind sigmoids, too."
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
            smoothing,
            "-(targets * (outputs / outputs.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()).sum(1).mean()",
        )
    }

    fn binary(&self, from_logits: bool, smoothing: f64) -> Loss {
        let logits = "nn.functional.binary_cross_entropy_with_logits(outputs, targets)";
        match self.head {
            Some(Activation::Softmax) if self.one => self.function(
                "Keras' loss takes the score behind the softmax, and falls. This one takes the output, always 1, and stays:\n    100 times the share of class 0, for PyTorch's logarithm ends at -100.",
                smoothing,
                "nn.functional.binary_cross_entropy(outputs, targets)",
            ),
            Some(Activation::Softmax) => {
                let doc = "Keras takes each score behind the softmax for a sigmoid's.";
                Loss { takes_scores: true, ..self.function(doc, smoothing, logits) }
            }
            Some(_) => {
                let right = if self.one { ABOVE_ZERO } else { LARGEST };
                let doc = "The sigmoid is in this loss.";
                Loss { takes_scores: true, right, ..self.function(doc, smoothing, logits) }
            }
            None if from_logits => self.function("", smoothing, logits),
            None => self.function(
                CLIPPED,
                smoothing,
                "nn.functional.binary_cross_entropy(outputs.clamp(1e-7, 1 - 1e-7), targets)",
            ),
        }
    }

    fn cross_entropy(&self, comment: &str, smoothing: f64, takes_scores: bool) -> Loss {
        let mut arguments = Vec::new();
        unless(&mut arguments, "label_smoothing", smoothing, 0.0);
        let made = format!("loss_of = {}", call("nn.CrossEntropyLoss", &arguments));
        let lines = [comment.to_string(), made];
        self.made(lines.into_iter().filter(|line| !line.is_empty()).collect(), takes_scores)
    }

    /// A loss that compares with rows of 0 and 1, or with a column of them.
    fn function(&self, doc: &str, smoothing: f64, value: &str) -> Loss {
        let mut lines = vec!["def loss_of(outputs, labels):".to_string()];
        if !doc.is_empty() {
            lines.extend(format!("    \"\"\"{doc}\"\"\"").lines().map(String::from));
        }
        lines.push(if self.one {
            "    targets = labels[:, None].float()".into()
        } else {
            format!("    targets = nn.functional.one_hot(labels, {}).float()", self.classes)
        });
        if smoothing != 0.0 {
            // As Keras: over the units, or, for a binary loss, over the two answers.
            let over = if value.contains("binary") {
                2
            } else if self.one {
                1
            } else {
                self.classes
            };
            lines.push(format!(
                "    targets = (1 - {smoothing:?}) * targets + {smoothing:?} / {over}"
            ));
        }
        lines.push(format!("    return {value}"));
        self.made(lines, false)
    }

    fn made(&self, definition: Vec<String>, takes_scores: bool) -> Loss {
        let right = if self.one { ABOVE_HALF } else { LARGEST };
        Loss { definition, takes_scores: takes_scores && self.head.is_some(), right }
    }
}
