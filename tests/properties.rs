//! Properties of every experiment. `fuzz/` tests the same properties on more experiments.

#![cfg(not(target_arch = "wasm32"))]

#[path = "support/random.rs"]
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use overfit_lab::experiment::Experiment;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use random::{Draw, trains_or_is_refused};

const CASES: u64 = 10_000;

fn experiment(seed: u64) -> Experiment {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Draw(&mut |end| generator.random_range(0..end)).experiment()
}

#[test]
fn json_and_back_is_the_identity() {
    for seed in 0..CASES {
        let experiment = experiment(seed);
        let json = experiment.to_json();
        assert_eq!(Experiment::from_json(&json).as_ref(), Ok(&experiment), "{json}");
    }
}

/// Runs on all cores; a panic is reported with its experiment.
#[test]
fn any_layers_train_an_epoch_or_are_refused_by_name() {
    let trained = AtomicU32::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let work = |first: u64| {
        for seed in (first..CASES).step_by(cores as usize) {
            let experiment = experiment(seed);
            match catch_unwind(AssertUnwindSafe(|| trains_or_is_refused(&experiment))) {
                Ok(true) => _ = trained.fetch_add(1, Ordering::Relaxed),
                Ok(false) => {}
                Err(_) => panic!("case {seed}: {}", experiment.to_json()),
            }
        }
    };
    std::thread::scope(|scope| {
        for first in 0..cores {
            scope.spawn({
                let work = &work;
                move || work(first)
            });
        }
    });
    let trained = trained.into_inner();
    println!("{trained} of {CASES} trained");
    // Neither outcome is rare, so both are tested.
    assert!((CASES as u32 / 5..CASES as u32 * 4 / 5).contains(&trained), "{trained}");
}
