//! Fast kernels for what a CNN spends its time on.
//!
//! [`convolution`], [`locally_connected`], [`dense`], [`batch_norm`], [`max_pool`], [`dropout`], [`loss`] and [`update`] are
//! functions on slices and know nothing of tensors; so are
//! [`random`] and [`normal`], which noise comes from, and [`sample`], which turns and crops images. All of them are
//! written once, over the vectors of [`lanes`], and compiled to what the machine has: WebAssembly's simd128, AVX2 with FMA
//! found at run time, or portable code. The innermost loops, in `tile`, check their bounds once before they start.

pub mod batch_norm;
pub mod buffers;
pub mod convolution;
pub mod dense;
pub mod dropout;
pub mod lanes;
pub mod locally_connected;
pub mod loss;
pub mod max_pool;
pub mod normal;
pub mod random;
pub mod sample;
mod sizes;
mod tile;
pub mod update;
