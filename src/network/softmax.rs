//! Softmax of rows. Burn's own softmax would bring the backward pass of a maximum into the wasm, which nothing needs.

use burn::tensor::Tensor;

use crate::backend::{floats, tensor};

/// The softmax of each row.
///
/// # Shapes
/// - rows: `[rows, numbers]`, also returned
pub fn softmax(rows: Tensor<2>) -> Tensor<2> {
    let powers = shifted(rows).exp();
    let sums = powers.clone().sum_dim(1);
    powers / sums
}

/// The logarithm of the softmax of each row.
///
/// # Shapes
/// - rows: `[rows, numbers]`, also returned
pub fn log_softmax(rows: Tensor<2>) -> Tensor<2> {
    let shifted = shifted(rows);
    let sums = shifted.clone().exp().sum_dim(1);
    shifted - sums.log()
}

/// The rows minus the largest number of each, which counts as a constant, so that no exponential overflows.
fn shifted(rows: Tensor<2>) -> Tensor<2> {
    let [count, numbers] = rows.dims();
    let values = floats(rows.clone().inner().into_data());
    let largest = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let largest: Vec<f32> = values.chunks_exact(numbers).map(largest).collect();
    let largest = tensor(largest, [count, 1], &rows.device());
    rows - largest
}
