//! Softmax of rows. Burn's own takes the largest number of a row with a way back that nothing takes, whose code a page would load.

use burn::tensor::{Tensor, TensorData};

use super::floats;

/// # Shapes
/// - rows: `[rows, numbers]`, what is returned too
pub fn softmax(rows: Tensor<2>) -> Tensor<2> {
    let powers = shifted(rows).exp();
    let sums = powers.clone().sum_dim(1);
    powers / sums
}

/// Its logarithm.
///
/// # Shapes
/// - rows: `[rows, numbers]`, what is returned too
pub fn log_softmax(rows: Tensor<2>) -> Tensor<2> {
    let shifted = shifted(rows);
    let sums = shifted.clone().exp().sum_dim(1);
    shifted - sums.log()
}

/// Less the largest number of each row, a constant, so that no power is too large.
fn shifted(rows: Tensor<2>) -> Tensor<2> {
    let [count, numbers] = rows.dims();
    let values = floats(rows.clone().inner().into_data());
    let largest = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let largest: Vec<f32> = values.chunks_exact(numbers).map(largest).collect();
    let largest = Tensor::from_data(TensorData::new(largest, [count, 1]), &rows.device());
    rows - largest
}
