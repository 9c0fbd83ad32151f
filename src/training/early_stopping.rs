//! Early stopping by the rules of Keras' `EarlyStopping`.

use crate::experiment::{EarlyStoppingConfig, Patience};
use crate::network::Variable;

/// The state of early stopping during one run.
pub struct EarlyStopping {
    rule: Patience,
    /// The number of epochs since the last improvement.
    wait: u32,
    best: Option<f64>,
    best_weights: Option<(u32, Vec<Variable>)>,
}

impl EarlyStopping {
    pub fn new(config: &EarlyStoppingConfig) -> Option<Self> {
        let rule = config.patience()?;
        Some(Self { rule, wait: 0, best: None, best_weights: None })
    }

    /// Whether to stop after this epoch, counted from 1, given its loss and weights. A NaN in the first epoch counts as best, and
    /// nothing improves on it; a later NaN never improves.
    pub fn observe(&mut self, epoch: u32, loss: f64, weights: &[Variable]) -> bool {
        let improved = self.best.is_none_or(|best| loss + self.rule.min_delta < best);
        self.wait += 1;
        if improved {
            self.best = Some(loss);
            self.wait = 0;
            if self.rule.restore_best_weights {
                self.best_weights = Some((epoch, weights.to_vec()));
            }
        }
        // Keras never stops after the first epoch.
        !improved && self.wait >= self.rule.patience && epoch > 1
    }

    /// The best epoch and its weights, where they are to be restored at the end.
    pub fn best_weights(&mut self) -> Option<(u32, Vec<Variable>)> {
        self.best_weights.take()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    /// The epoch after which a run stops, and the epoch whose weights are restored.
    type Ends = (Option<u32>, Option<u32>);

    fn stopped(patience: u32, min_delta: f64, losses: &[f64]) -> Ends {
        let config = EarlyStoppingConfig::Loss { patience, min_delta, restore_best_weights: true };
        let mut stopping = EarlyStopping::new(&config).unwrap();
        let mut epochs = (1..).zip(losses);
        let end = epochs.find(|(epoch, loss)| stopping.observe(*epoch, **loss, &[]));
        (end.map(|(epoch, _)| epoch), stopping.best_weights().map(|(epoch, _)| epoch))
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn stops_where_keras_stops() {
        // Each row holds the answer of Keras 3.15's callback.
        const NAN: f64 = f64::NAN;
        let rows: [(u32, f64, &[f64], Ends); 8] = [
            (2, 0.0, &[3.0, 2.0, 2.0, 2.0, 1.0], (Some(4), Some(2))),
            (2, 0.0, &[3.0, 2.0, 2.5, 1.9, 2.0, 2.0], (Some(6), Some(4))),
            (2, 0.5, &[3.0, 2.6, 2.4, 2.2, 2.1], (Some(5), Some(3))),
            (1, 1.0, &[3.0, 2.0, 1.0], (Some(2), Some(1))),
            (0, 0.0, &[1.0, 0.9, 0.9, 0.8], (Some(3), Some(2))),
            (0, 0.0, &[1.0, 2.0], (Some(2), Some(1))),
            (3, 0.0, &[NAN, 1.0, 0.5, 0.2, 0.1], (Some(4), Some(1))),
            (3, 0.0, &[1.0, NAN, 0.5, 0.6, 0.7], (None, Some(3))),
        ];
        for (patience, min_delta, losses, expected) in rows {
            let found = stopped(patience, min_delta, losses);
            assert_eq!(found, expected, "{patience} {min_delta} {losses:?}");
        }
    }
}
