//! The module that the benchmark runs in the browser in addition to the site: the kernels pass by pass, and the machine's peak.

mod kernels;
#[cfg(target_arch = "wasm32")]
mod simd_peak;
