//! Fast kernels for the operations that take most of a CNN's training time.
//!
//! [`convolution`], [`locally_connected`], [`dense`], [`batch_norm`], [`max_pool`], [`dropout`], [`loss`] and [`update`] are
//! functions on slices and know nothing of tensors; so are [`random`] and [`normal`], which make noise, and [`sample`], which
//! rotates and crops images. All of them are written once, over the vectors of [`lanes`], and compiled for the machine's
//! instructions: WebAssembly's simd128, AVX2 with FMA detected at run time, or portable code. The innermost loops, in `tile`,
//! check their bounds once before they start. [`mod@reference`] has the plain definition that tests and the benchmark compare with.

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
pub mod reference;
pub mod sample;
mod sizes;
mod tile;
pub mod update;
