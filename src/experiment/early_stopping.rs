//! Early stopping: its type, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use crate::from_json::FromJson;

/// The rule by which a run ends before the last epoch: Keras' `EarlyStopping`.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EarlyStoppingConfig {
    None {},
    /// Ends the run when, for `patience` epochs, the training loss has not been more than `min_delta` below its lowest so far.
    Loss {
        patience: u32,
        min_delta: f64,
        restore_best_weights: bool,
    },
    /// The same for the held-out loss.
    ValidationLoss {
        patience: u32,
        min_delta: f64,
        restore_best_weights: bool,
    },
}

/// The loss that early stopping watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    Loss,
    ValidationLoss,
}

/// The settings of early stopping where it is on, whichever loss it watches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    pub monitor: Monitor,
    /// The number of epochs without an improvement after which the run ends.
    pub patience: u32,
    /// An improvement is a loss that falls by more than this.
    pub min_delta: f64,
    pub restore_best_weights: bool,
}

impl EarlyStoppingConfig {
    /// The settings of early stopping; `None` where it is off.
    pub fn patience(&self) -> Option<Patience> {
        match *self {
            Self::None {} => None,
            Self::Loss { patience, min_delta, restore_best_weights } => {
                Some(Patience { monitor: Monitor::Loss, patience, min_delta, restore_best_weights })
            }
            Self::ValidationLoss { patience, min_delta, restore_best_weights } => {
                let monitor = Monitor::ValidationLoss;
                Some(Patience { monitor, patience, min_delta, restore_best_weights })
            }
        }
    }

    /// Whether early stopping watches the held-out loss.
    pub fn needs_validation(&self) -> bool {
        self.patience().is_some_and(|patience| patience.monitor == Monitor::ValidationLoss)
    }

    pub fn restores_best_weights(&self) -> bool {
        self.patience().is_some_and(|patience| patience.restore_best_weights)
    }

    fn choices() -> Vec<Choice> {
        let (patience, min_delta, restore_best_weights) = (20, 0.0, false);
        let on_loss = Self::Loss { patience, min_delta, restore_best_weights };
        let held_out = Self::ValidationLoss { patience, min_delta, restore_best_weights };
        vec![
            Choice::new("none", "None", Self::None {}),
            Choice::new("loss", "On the training loss", on_loss),
            Choice::new("validation_loss", "On the held-out loss", held_out),
        ]
    }
}

const GROUP: FieldGroup = FieldGroup::EarlyStopping;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(GROUP, "training.early_stopping", "Early stopping", EarlyStoppingConfig::choices),
    Field::whole(GROUP, "training.early_stopping.patience", "Patience", 0.0, 100_000.0)
        .counted_in("epochs")
        .in_keras("patience"),
    Field::real(GROUP, "training.early_stopping.min_delta", "Smallest improvement", 0.0, 1e3)
        .in_keras("min_delta"),
    Field::flag(GROUP, "training.early_stopping.restore_best_weights", "Restore best weights")
        .in_keras("restore_best_weights"),
];
