//! Overfit Lab trains small CNNs on a handful of random images, live in a browser tab and with the same numbers as Keras,
//! and says whether a network memorised its images, when, and, if not, why not.
//!
//! # A guided tour
//!
//! A run, as data: an [`Experiment`](experiment::Experiment) is checked and opened as a [`Run`](run::Run), a
//! [`TrainingSession`](training::TrainingSession) with the [`Watcher`](diagnosis::Watcher) that reads its numbers. Each epoch gives
//! one [`EpochReport`](run::EpochReport); at the end the network's evaluation becomes the [`RunResult`](diagnosis::RunResult). The
//! program, the page's worker and the tests all do exactly this:
//!
//! ```
//! use overfit_lab::run::Run;
//! use overfit_lab::{backend, presets};
//!
//! let mut experiment = presets::preset("example-1").unwrap().experiment;
//! experiment.set("dataset.side", "16")?; // smaller images, to be quick
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
//! 1. [`experiment`]: what a person asks for, as plain data: each concept's type, defaults, limits and facts; how an experiment is
//!    changed, shown as a form, described and refused.
//! 2. [`causes`]: mistakes that people make, and their signs in an experiment.
//! 3. [`presets`]: the article's three examples, other networks, mistakes.
//! 4. [`seeding`], [`dataset`] and [`augmentation`]: one seed becomes independent streams, and they become images and labels.
//! 5. [`kernels`]: what training spends its time on, as fast functions on slices; `operations` makes them Burn's.
//! 6. [`backend`]: what computes, with the kernels or without.
//! 7. [`network`]: variables in Keras' layouts and the forward pass.
//! 8. [`probes`]: what only tensors can tell, dead units and gradient norms, as numbers.
//! 9. [`training`]: loss, optimizers and metrics as Keras computes them, and the session that puts them together.
//! 10. [`diagnosis`]: what a run's numbers mean. It never sees a tensor.
//! 11. [`run`]: an experiment from its first step to its result.
//! 12. [`script`] and [`checks`]: an experiment as the script that does the same in a framework, and what came of those scripts.
//!
//! In WebAssembly, `wasm.rs` hands these to JavaScript; natively, `main.rs` and `program.rs` make them a command.
//!
//! Correct means: the numbers of Keras 3. `tests/keras_parity.rs` compares every activation, gradient and loss with what
//! Keras computed from the same images and weights.

pub mod augmentation;
pub mod backend;
pub mod causes;
pub mod checks;
pub mod dataset;
pub mod diagnosis;
pub mod experiment;
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
