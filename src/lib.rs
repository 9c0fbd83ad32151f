//! Overfit Lab trains small CNNs on a handful of random images, live in a browser tab and with the same numbers as Keras,
//! and says whether a network memorised its images, when, and, if not, why not.
//!
//! # A guided tour
//!
//! A run, as data: an [`Experiment`](experiment::Experiment) is checked and opened as a
//! [`TrainingSession`](training::TrainingSession); each epoch gives one [`EpochMetrics`](training::EpochMetrics); a
//! [`Watcher`](diagnosis::Watcher) reads those and, at the end, the network's evaluation, and gives the
//! [`RunResult`](diagnosis::RunResult). The program, the page's worker and the tests all do exactly this:
//!
//! ```
//! use overfit_lab::diagnosis::Watcher;
//! use overfit_lab::training::TrainingSession;
//! use overfit_lab::{backend, presets};
//!
//! let mut experiment = presets::preset("example-1").unwrap().experiment;
//! experiment.set("dataset.side", "16")?; // smaller images, to be quick
//! experiment.set("training.epochs", "80")?;
//!
//! let mut session = TrainingSession::new(experiment, backend::default_backend())?;
//! let mut watcher = Watcher::new(session.experiment(), session.dataset().class_counts());
//! while !session.finished() {
//!     let metrics = session.run_epoch();
//!     for event in watcher.observe(&metrics) {
//!         println!("epoch {}: {}", event.epoch, event.text);
//!     }
//! }
//! let result = watcher.conclude(&session.evaluate());
//! assert!(result.memorised, "{}", result.headline);
//! # Ok::<(), overfit_lab::experiment::InvalidField>(())
//! ```
//!
//! The modules, in reading order:
//!
//! 1. [`experiment`]: what a person asks for, as plain data: its limits, its shapes, what makes it invalid.
//! 2. [`presets`]: the article's three examples, other networks, mistakes, and every default.
//! 3. [`editing`], [`form`] and [`description`]: one field changed by its path; all fields as a form; an experiment in words.
//! 4. [`seeding`], [`dataset`] and [`augmentation`]: one seed becomes independent streams, and they become images and labels.
//! 5. [`kernels`]: what training spends its time on, as fast functions on slices; `operations` makes them Burn's.
//! 6. [`backend`]: what computes, with the kernels or without.
//! 7. [`network`]: variables in Keras' layouts and the forward pass.
//! 8. [`probes`]: what only tensors can tell, dead units and gradient norms, as numbers.
//! 9. [`training`]: loss, optimizers and metrics as Keras computes them, and the session that puts them together.
//! 10. [`diagnosis`]: what a run's numbers mean. It never sees a tensor.
//! 11. [`script`] and [`checks`]: an experiment as the script that does the same in a framework, and what came of those scripts.
//!
//! In WebAssembly, `wasm.rs` hands these to JavaScript; natively, `main.rs` and `program.rs` make them a command.
//!
//! Correct means: the numbers of Keras 3. `tests/keras_parity.rs` compares every activation, gradient and loss with what
//! Keras computed from the same images and weights.

pub mod augmentation;
pub mod backend;
pub mod checks;
pub mod dataset;
pub mod description;
pub mod diagnosis;
pub mod editing;
pub mod experiment;
pub mod form;
pub mod network;
pub mod operations;
pub mod presets;
pub mod probes;
pub mod script;
pub mod seeding;
pub mod training;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use overfit_lab_kernels as kernels;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
