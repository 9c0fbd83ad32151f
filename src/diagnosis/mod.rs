//! What the numbers of a run mean. Knows metrics, never tensors.

mod findings;
mod watcher;

pub use findings::{Evidence, Finding, FindingCode};
pub use watcher::{EventKind, RunEvent, RunResult, Verdict, Watcher};

/// Epochs in a row with every image right that count as memorised. Where training works otherwise than inference, as with dropout,
/// augmentation or batch normalisation, an image is right when the network answers so in inference, for the image as it is.
pub const MEMORISED_STREAK: u32 = 10;
