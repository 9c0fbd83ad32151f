//! Draws random experiments without end. Each must survive a round trip through JSON, and must be refused at a layer or train an
//! epoch.
//!
//! `cargo install cargo-fuzz`, then `cargo fuzz run layers -s none`. Add its findings to `tests/properties.rs`.

#![no_main]

#[path = "../tests/support/random.rs"]
mod random;

use libfuzzer_sys::fuzz_target;
use overfit_lab::experiment::Experiment;
use random::{Draw, trains_or_is_refused};

fuzz_target!(|bytes: &[u8]| {
    let mut pairs = bytes.chunks_exact(2);
    // After the last byte, all numbers are 0.
    let mut number = || pairs.next().map_or(0, |pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let experiment = Draw(&mut |end| number() % end).experiment();
    assert_eq!(Experiment::from_json(&experiment.to_json()).as_ref(), Ok(&experiment));
    trains_or_is_refused(&experiment);
});
