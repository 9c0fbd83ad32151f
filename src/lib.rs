//! Overfit Lab.

pub mod backend;
pub mod dataset;
pub mod experiment;
pub mod network;
pub mod presets;
pub mod probes;
pub mod seeding;
pub mod training;
