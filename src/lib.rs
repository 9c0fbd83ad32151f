//! Overfit Lab.

pub mod backend;
pub mod dataset;
pub mod diagnosis;
pub mod experiment;
pub mod keras_script;
pub mod network;
pub mod presets;
pub mod probes;
pub mod seeding;
pub mod training;
#[cfg(target_arch = "wasm32")]
mod wasm;
