//! Fast kernels for what a CNN spends its time on.
//!
//! [`convolution`], [`dense`], [`loss`] and [`update`] are functions on slices and know nothing of tensors. All of them are
//! written once, over the vectors of [`lanes`], and compiled to what the machine has: WebAssembly's simd128, AVX2 with FMA
//! found at run time, or portable code. The innermost loops, in `tile`, check their bounds once before they start.

pub mod buffers;
pub mod convolution;
pub mod dense;
pub mod lanes;
pub mod loss;
mod tile;
pub mod update;
