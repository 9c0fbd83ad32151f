//! Numbers that are measured on tensors: active units, and norms of gradients and weights.

use burn::tensor::Tensor;

use crate::backend::{floats, mapped};
use crate::network::{Features, Observer, Seen};
use crate::operations;

/// Records which units of the ReLU layers any image activated over the observed steps.
#[derive(Clone, Debug, Default)]
pub struct ActiveUnits {
    layers: Vec<ReluUnits>,
}

/// A ReLU layer's index in the configuration's list, and for each channel or unit whether any image activated it.
#[derive(Clone, Debug)]
struct ReluUnits {
    layer: usize,
    active: Vec<bool>,
}

impl ActiveUnits {
    /// Observes these layers, each given by its index in the configuration's list and its number of channels or units.
    pub fn of(layers: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let units = |(layer, units)| ReluUnits { layer, active: vec![false; units] };
        Self { layers: layers.into_iter().map(units).collect() }
    }

    /// The number of units that no image activated, in the layer with this index.
    pub fn dead(&self, layer: usize) -> usize {
        let of_layer = self.layers.iter().find(|units| units.layer == layer);
        of_layer.map_or(0, |units| units.active.iter().filter(|&&active| !active).count())
    }
}

impl Observer for ActiveUnits {
    fn output(&mut self, seen: Seen, output: Features) -> Features {
        let watched = self.layers.iter_mut().find(|units| Some(units.layer) == seen.relu);
        if let Some(units) = watched {
            mark_active(&output, &mut units.active);
        }
        output
    }
}

/// Marks the channels or units of a ReLU's output that any image activates; `active` has an entry for each.
fn mark_active(output: &Features, active: &mut [bool]) {
    let highest = match output.clone() {
        #[cfg(feature = "plain")]
        Features::Planes(planes) => {
            let planes = planes.inner();
            let [images, channels, height, width] = planes.dims();
            let rows = planes.reshape([images * channels, height * width]);
            floats(rows.max_dim(1).into_data())
        }
        #[cfg(not(feature = "plain"))]
        Features::Planes(_) => unreachable!("the kernels compute on pixels"),
        Features::Pixels(pixels) => floats(operations::active(pixels.inner()).into_data()),
        Features::Rows(rows) => floats(rows.inner().into_data()),
    };
    let units = active.len();
    for (index, value) in highest.into_iter().enumerate() {
        // A NaN unit does not count as dead: divergence is a finding of its own.
        if value > 0.0 || value.is_nan() {
            active[index % units] = true;
        }
    }
}

/// The l2 norm of all gradients together.
pub fn gradient_norm(gradients: &[Tensor<1>]) -> f64 {
    gradients.iter().map(|gradient| sum_of_squares(gradient.clone())).sum::<f64>().sqrt()
}

pub fn sum_of_squares(values: Tensor<1>) -> f64 {
    sum(values.square())
}

pub fn sum_of_magnitudes(values: Tensor<1>) -> f64 {
    sum(mapped(values, f32::abs))
}

/// The sum in f32 within short rows and in f64 over the rows, because one f32 sum over millions loses its last digits.
fn sum(values: Tensor<1>) -> f64 {
    const ROW: usize = 512;
    let [count] = values.dims();
    let whole = count - count % ROW;
    let mut parts = Vec::new();
    if whole > 0 {
        let rows = values.clone().narrow(0, 0, whole).reshape([whole / ROW, ROW]);
        parts.extend(floats(rows.sum_dim(1).into_data()));
    }
    if whole < count {
        parts.extend(floats(values.narrow(0, whole, count - whole).into_data()));
    }
    parts.into_iter().map(f64::from).sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use wasm_bindgen_test::*;

    use super::*;
    use crate::backend;

    fn device() -> Device {
        backend::open(backend::default_backend()).unwrap().device
    }

    fn alive(output: Features, units: usize) -> Vec<bool> {
        let mut alive = vec![false; units];
        mark_active(&output, &mut alive);
        alive
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_unit_lives_where_any_image_and_place_activates_it() {
        // Two images with three channels and one row of two pixels. Only the second image activates channel 1.
        let maps = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, f32::NAN];
        let data = TensorData::new(maps.to_vec(), [2, 3, 1, 2]);
        #[cfg(feature = "plain")]
        {
            let maps = Features::Planes(Tensor::from_data(data.clone(), &device()));
            assert_eq!(alive(maps, 3), [false, true, true]);
        }
        let pixels = Tensor::<4>::from_data(data, &device()).permute([0, 2, 3, 1]);
        assert_eq!(alive(Features::Pixels(pixels), 3), [false, true, true]);
        let data = TensorData::new(vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [2, 3]);
        let rows = Features::Rows(Tensor::from_data(data, &device()));
        assert_eq!(alive(rows, 3), [false, true, false]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_norm_takes_all_gradients_together() {
        let tensor = |values: &[f32]| Tensor::<1>::from_data(TensorData::from(values), &device());
        assert_eq!(gradient_norm(&[tensor(&[3.0, 0.0]), tensor(&[-4.0])]), 5.0);
        assert!(gradient_norm(&[tensor(&[f32::NAN])]).is_nan());
        // An f32 sum that adds ones one by one stops at 2^24.
        let many = gradient_norm(&[tensor(&vec![1.0; (1 << 24) + 700])]);
        assert!((many - f64::from((1 << 24) + 700).sqrt()).abs() < 1e-6, "{many}");
    }
}
