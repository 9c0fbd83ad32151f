//! The fastest multiply-add loop that plain simd128 allows: a tile of sums in registers, as in a matrix product, fed from the
//! first-level cache. Its speed makes the benchmark's other figures comparable across machines.

use std::arch::wasm32::{
    f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, v128, v128_load, v128_load32_splat,
};

/// Rows and vectors of the tile: eight sums, the most that x86-64's sixteen registers hold together with their factors.
const ROWS: usize = 4;
const VECTORS: usize = 2;
/// Steps of the loop over both factors, which have 8 KB and 16 KB: well inside the cache.
const STEPS: usize = 512;

static LEFT: [[f32; ROWS]; STEPS] = [[1e-3; ROWS]; STEPS];
static RIGHT: [[f32; 4 * VECTORS]; STEPS] = [[1e-3; 4 * VECTORS]; STEPS];

/// Floating-point operations of `multiply_add(1)`.
#[unsafe(no_mangle)]
pub extern "C" fn peak_operations() -> f64 {
    (STEPS * ROWS * VECTORS * 4 * 2) as f64
}

/// Runs the loop `repeats` times. The result only keeps the compiler from removing the work.
#[unsafe(no_mangle)]
pub extern "C" fn multiply_add(repeats: u32) -> f32 {
    let mut sums = [[f32x4(0.0, 0.0, 0.0, 0.0); VECTORS]; ROWS];
    let left = std::hint::black_box(&LEFT);
    let right = std::hint::black_box(&RIGHT);
    for _ in 0..repeats {
        for (left, right) in left.iter().zip(right) {
            // SAFETY: `right` holds 4 * VECTORS floats, and wasm loads need no alignment.
            let right: [v128; VECTORS] =
                std::array::from_fn(|i| unsafe { v128_load(right.as_ptr().add(4 * i).cast()) });
            for (sums, left) in sums.iter_mut().zip(left) {
                // SAFETY: a reference to a float is four readable bytes.
                let left = unsafe { v128_load32_splat(std::ptr::from_ref(left).cast()) };
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = f32x4_add(*sum, f32x4_mul(left, right));
                }
            }
        }
    }
    sums.iter().flatten().map(|&sum| f32x4_extract_lane::<0>(sum)).sum()
}
