//! The module that the benchmark runs in the browser beside the site: the kernels pass by pass, and the peak to compare them with.

mod kernels;
#[cfg(target_arch = "wasm32")]
mod simd_peak;
