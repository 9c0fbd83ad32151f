//! Fast kernels for what a CNN spends its time on, and the operations of Burn that they become.
//!
//! [`convolution`], [`dense`], [`loss`] and [`update`] are functions on slices and know nothing of tensors; `extension` makes
//! them operations of Burn's CPU backend with backward passes of their own. All of them are written once, over the vectors
//! of [`lanes`], and compiled to what the machine has: WebAssembly's simd128, AVX2 with FMA found at run time, or portable
//! code.
//!
//! Unsafe code stands only here. The innermost loops, in `tile`, check their bounds once before they start.

pub mod buffers;
pub mod convolution;
pub mod dense;
mod extension;
pub mod lanes;
pub mod loss;
mod storage;
mod tile;
pub mod update;

pub use extension::{active, block, cross_entropy, dense as dense_layer, update as step};
