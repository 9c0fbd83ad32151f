//! Measures an epoch, a step and an evaluation of every preset natively, on each backend.
//!
//! `cargo bench` runs these benchmarks; `cargo xtask bench` measures the browser, which people use.

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use criterion::{BenchmarkId, Criterion};
    use overfit_lab::backend::BACKENDS;
    use overfit_lab::presets;
    use overfit_lab::training::TrainingSession;

    pub fn training(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("training");
        group.sample_size(20);
        for backend in BACKENDS {
            for preset in presets::presets() {
                let open = || TrainingSession::new(preset.experiment.clone(), backend.id).unwrap();
                let images: Vec<u32> = (0..preset.experiment.dataset.images).collect();
                let mut session = open();
                let name = format!("{}/{}", preset.id, backend.id);
                group.bench_function(BenchmarkId::new("epoch", &name), |bencher| {
                    bencher.iter(|| session.run_epoch());
                });
                let mut session = open();
                group.bench_function(BenchmarkId::new("step", &name), |bencher| {
                    bencher.iter(|| session.run_step(&images, &mut ()));
                });
                group.bench_function(BenchmarkId::new("evaluation", &name), |bencher| {
                    bencher.iter(|| session.evaluate());
                });
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    let mut criterion = criterion::Criterion::default().configure_from_args();
    native::training(&mut criterion);
    criterion.final_summary();
}

/// The browser's tests build every target, also this one.
#[cfg(target_arch = "wasm32")]
fn main() {}
