//! Training as Keras' `fit` does it: losses, optimizers, metrics, and the session that combines them.

mod early_stopping;
mod epoch;
pub mod loss;
pub mod metrics;
pub mod optimizer;
mod regularizer;
pub mod schedule;
pub mod session;

pub use metrics::{EpochMetrics, Evaluation, InferenceMetrics, Look, ReluLayer, ValidationMetrics};
pub use session::{Noise, TrainingSession};
