//! What only tensors can tell, as numbers.

use burn::tensor::Tensor;

use crate::network::{Features, floats};

/// Marks in `alive` the units of a ReLU's output that some image activates.
///
/// # Shapes
/// - output: `[images, channels, height, width]` or `[images, units]`, all at least 0
/// - alive: one entry a channel or unit
pub fn mark_alive(output: &Features, alive: &mut [bool]) {
    let highest = match output.clone() {
        Features::Maps(maps) => {
            let maps = maps.inner();
            let [images, channels, height, width] = maps.dims();
            let rows = maps.reshape([images * channels, height * width]);
            floats(rows.max_dim(1).into_data())
        }
        Features::Rows(rows) => floats(rows.inner().into_data()),
    };
    let units = alive.len();
    for (index, value) in highest.into_iter().enumerate() {
        // Not a number is not dead: divergence is a finding of its own.
        if value > 0.0 || value.is_nan() {
            alive[index % units] = true;
        }
    }
}

/// The l2 norm of all gradients together.
pub fn gradient_norm(gradients: &[Tensor<1>]) -> f64 {
    let squares = gradients.iter().map(|gradient| {
        let sum: f32 = gradient.clone().square().sum().into_scalar();
        f64::from(sum)
    });
    squares.sum::<f64>().sqrt()
}
