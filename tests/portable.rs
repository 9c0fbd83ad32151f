//! With portable instructions, the native program trains the article's examples to the same bits as the page: this test runs natively
//! and in a browser, and expects the same numbers of both.

use overfit_lab::backend::prefer_portable;
use overfit_lab::presets;
use overfit_lab::run::Run;
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The losses and the trained weights of an example, as a hash of their bits (FNV-1a).
fn trained(preset: &str) -> u64 {
    let mut experiment = presets::preset(preset).unwrap().experiment;
    for (field, value) in [("dataset.side", "32"), ("training.epochs", "40")] {
        experiment.set(field, value).unwrap();
    }
    let mut run = Run::new(experiment, "flex").unwrap();
    let mut numbers = Vec::new();
    while !run.finished() {
        numbers.push(run.next_epoch().metrics.loss.to_bits());
    }
    let variables = run.network().variables.iter();
    let values = variables.flat_map(|variable| variable.values());
    numbers.extend(values.map(|value| u64::from(value.to_bits())));
    let start = 0xcbf2_9ce4_8422_2325_u64;
    numbers.iter().fold(start, |hash, number| (hash ^ number).wrapping_mul(0x0100_0000_01b3))
}

#[wasm_bindgen_test(unsupported = test)]
fn the_articles_examples_have_the_same_bits_natively_and_in_a_browser() {
    prefer_portable();
    let found = ["example-1", "example-2", "example-3"].map(trained);
    assert_eq!(found, [4493067559279081868, 327880957784405184, 9017312537993783721]);
}
