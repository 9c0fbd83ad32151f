//! Overfit Lab trains small CNNs on a handful of random images, live in a browser tab and with the same numbers as Keras,
//! and says whether a network memorised its images, when, and, if not, why not.
//!
//! # A guided tour
//!
//! An [`Experiment`](experiment::Experiment) is checked and opened as a [`Run`](run::Run): a
//! [`TrainingSession`](training::TrainingSession) with the [`Watcher`](diagnosis::Watcher) that reads its numbers. Each epoch gives
//! one [`EpochReport`](run::EpochReport). At the end, the evaluation of the network gives the [`RunResult`](diagnosis::RunResult).
//! The program, the page's worker and the tests all do this:
//!
//! ```
//! use overfit_lab::run::Run;
//! use overfit_lab::{backend, presets};
//!
//! let mut experiment = presets::preset("example-1").unwrap().experiment;
//! experiment.set("dataset.side", "16")?; // small images train quickly
//! experiment.set("training.epochs", "80")?;
//!
//! let mut run = Run::new(experiment, backend::default_backend())?;
//! while !run.finished() {
//!     for event in run.next_epoch().events {
//!         println!("epoch {}: {}", event.epoch, event.text);
//!     }
//! }
//! let result = run.result();
//! assert!(result.memorised, "{}", result.headline);
//! # Ok::<(), overfit_lab::experiment::InvalidField>(())
//! ```
//!
//! The modules, in reading order:
//!
//! 1. [`experiment`]: an experiment as plain data, with each concept's type, defaults, limits and facts; changing, describing and
//!    validating it, and its form. [`from_json`] reads its records.
//! 2. [`causes`]: mistakes that people make, and their signs in an experiment.
//! 3. [`presets`]: the article's three examples, other networks, mistakes.
//! 4. [`seeding`], [`dataset`] and [`augmentation`]: independent random streams from one seed, and the images and labels from them.
//! 5. [`kernels`]: fast functions on slices, where training spends its time; [`operations`] adds them to Burn.
//! 6. [`backend`]: the choice of Burn's backend, with or without the kernels.
//! 7. [`network`]: variables in Keras' layouts and the forward pass.
//! 8. [`probes`]: numbers measured on tensors: active units and gradient norms.
//! 9. [`training`]: loss, optimizers and metrics as Keras computes them, and the session that combines them.
//! 10. [`diagnosis`]: the meaning of a run's numbers. It never sees a tensor.
//! 11. [`run`]: an experiment from its first step to its result.
//! 12. [`script`] and [`checks`]: an experiment as a Keras or PyTorch script, and the results of the presets' scripts.
//!
//! In WebAssembly, `wasm.rs` is the boundary to JavaScript; natively, `main.rs` and `program.rs` are the program.
//!
//! The numbers of Keras 3 are the correct ones. `tests/keras_parity.rs` compares activations, gradients and losses with those that
//! Keras computed from the same images and weights.

pub mod augmentation;
pub mod backend;
pub mod causes;
pub mod checks;
pub mod dataset;
pub mod diagnosis;
pub mod experiment;
pub mod from_json;
pub mod network;
pub mod operations;
pub mod presets;
pub mod probes;
pub mod run;
pub mod script;
pub mod seeding;
pub mod training;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use overfit_lab_kernels as kernels;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
