//! What the numbers of a run mean. Knows metrics, never tensors.

mod findings;
mod watcher;

pub use findings::{Evidence, Finding, FindingCode};
pub use watcher::{EventKind, RunEvent, RunResult, Verdict, Watcher};

/// Epochs in a row with every image right that count as memorised.
pub const MEMORISED_STREAK: u32 = 10;
