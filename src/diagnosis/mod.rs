//! The meaning of a run's numbers: events, findings and a verdict. This module sees metrics, never tensors.

mod findings;
mod watcher;

pub use findings::{Evidence, Finding, FindingCode};
pub use watcher::{EventKind, RunEvent, RunResult, Verdict, Watcher};

/// The number of epochs in a row with every image right that count as memorised. Where training differs from inference, as with
/// dropout, augmentation or batch normalisation, the answers to the unaugmented images in inference mode count.
pub const MEMORISED_STREAK: u32 = 10;
