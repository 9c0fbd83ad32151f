//! A run from an experiment to its result: a training session and the watcher that reads its numbers.

use serde::Serialize;
use tsify::Tsify;

use crate::dataset::Dataset;
use crate::diagnosis::{RunEvent, RunResult, Watcher};
use crate::experiment::{Experiment, InvalidField};
use crate::network::Network;
use crate::training::{EpochMetrics, Look, TrainingSession};

/// A run of an experiment. Only [`Run::next_epoch`], [`Run::advance`] and [`Run::finish`] train it.
pub struct Run {
    session: TrainingSession,
    watcher: Watcher,
}

/// The metrics of one epoch, and the events that it brought.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct EpochReport {
    pub metrics: EpochMetrics,
    pub events: Vec<RunEvent>,
}

impl Run {
    /// Validates the experiment and draws its images and weights; trains nothing yet. `backend` is an id of
    /// [`BACKENDS`](crate::backend::BACKENDS).
    pub fn new(experiment: Experiment, backend: &str) -> Result<Self, InvalidField> {
        let session = TrainingSession::new(experiment, backend)?;
        let watcher = Watcher::new(session.experiment(), session.dataset().class_counts());
        Ok(Self { session, watcher })
    }

    /// Trains one epoch.
    pub fn next_epoch(&mut self) -> EpochReport {
        let metrics = self.session.run_epoch();
        self.report(metrics)
    }

    /// Trains steps until the epoch is complete, at least one. Where `interrupted` returns true after an earlier step, this returns
    /// `None`, and the next call continues the same epoch.
    pub fn advance(&mut self, interrupted: impl FnMut() -> bool) -> Option<EpochReport> {
        let metrics = self.session.advance(interrupted)?;
        Some(self.report(metrics))
    }

    fn report(&mut self, metrics: EpochMetrics) -> EpochReport {
        let events = self.watcher.observe(&metrics);
        EpochReport { metrics, events }
    }

    /// Trains all remaining epochs.
    pub fn finish(mut self) -> RunResult {
        while !self.finished() {
            self.next_epoch();
        }
        self.result()
    }

    /// Evaluates the current network and concludes the result of the run so far.
    pub fn result(&self) -> RunResult {
        self.watcher.conclude(&self.session.evaluate())
    }

    /// The current output of the layer with this index for one image, and the gradient of the image's loss by it.
    pub fn look(&self, layer: usize, image: usize) -> Result<Look, InvalidField> {
        self.session.look(layer, image)
    }

    pub fn experiment(&self) -> &Experiment {
        self.session.experiment()
    }

    pub fn dataset(&self) -> &Dataset {
        self.session.dataset()
    }

    pub fn network(&self) -> &Network {
        self.session.network()
    }

    /// The number of complete epochs.
    pub fn epoch(&self) -> u32 {
        self.session.epoch()
    }

    /// Whether all of the experiment's epochs are trained, or early stopping ended the run.
    pub fn finished(&self) -> bool {
        self.session.finished()
    }

    /// Sets the total number of epochs, as if the experiment had it from the start, so that a run can continue after its end.
    pub fn plan_epochs(&mut self, epochs: u32) -> Result<(), InvalidField> {
        self.session.plan_epochs(epochs)?;
        self.watcher.plan_epochs(epochs);
        Ok(())
    }

    /// Sets the learning rate from the next step on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), InvalidField> {
        self.session.set_learning_rate(learning_rate)
    }
}
