//! The activations between layers: images in one of two orders of axes, or rows.

#[cfg(feature = "plain")]
use burn::tensor::TensorData;
use burn::tensor::{Gradients, Tensor};

use crate::backend::floats;

/// The activations between two layers.
#[derive(Clone, Debug)]
pub enum Features {
    /// `[images, channels, height, width]`, the order of Burn's operations.
    Planes(Tensor<4>),
    /// `[images, height, width, channels]`, the order of the kernels.
    Pixels(Tensor<4>),
    /// `[images, units]`.
    Rows(Tensor<2>),
}

impl Features {
    /// The same values as a new leaf of the autodiff graph, where later backward passes end.
    pub fn cut(self) -> Self {
        match self {
            Self::Planes(planes) => Self::Planes(planes.detach().require_grad()),
            Self::Pixels(pixels) => Self::Pixels(pixels.detach().require_grad()),
            Self::Rows(rows) => Self::Rows(rows.detach().require_grad()),
        }
    }

    /// The gradient of features from [`Features::cut`], in the order of [`Features::to_nhwc`]; zeros where the loss does not depend
    /// on them.
    pub fn gradient(&self, gradients: &mut Gradients) -> Vec<f32> {
        let (_, values) = self.to_nhwc();
        let gradient = match self {
            Self::Planes(planes) => planes.grad_remove(gradients).map(Self::Planes),
            Self::Pixels(pixels) => pixels.grad_remove(gradients).map(Self::Pixels),
            Self::Rows(rows) => rows.grad_remove(gradients).map(Self::Rows),
        };
        gradient.map_or(vec![0.0; values.len()], |gradient| gradient.to_nhwc().1)
    }

    /// The shape and the values in Keras' order, NHWC.
    pub fn to_nhwc(&self) -> (Vec<usize>, Vec<f32>) {
        let pixels = match self.clone() {
            Self::Planes(planes) => planes.inner().permute([0, 2, 3, 1]),
            Self::Pixels(pixels) => pixels.inner(),
            Self::Rows(rows) => {
                let rows = rows.inner();
                return (rows.dims().to_vec(), floats(rows.into_data()));
            }
        };
        (pixels.dims().to_vec(), floats(pixels.into_data()))
    }

    pub(super) fn rows(self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows,
            _ => unreachable!("layer_shapes refuses this layer on images"),
        }
    }

    pub(super) fn planes(self) -> Tensor<4> {
        match self {
            Self::Planes(planes) => planes,
            Self::Pixels(pixels) => pixels.permute([0, 3, 1, 2]),
            Self::Rows(_) => unreachable!("layer_shapes refuses this layer on rows"),
        }
    }

    pub(super) fn pixels(self) -> Tensor<4> {
        match self {
            Self::Planes(planes) => planes.permute([0, 2, 3, 1]),
            Self::Pixels(pixels) => pixels,
            Self::Rows(_) => unreachable!("layer_shapes refuses this layer on rows"),
        }
    }

    /// `[images, height * width, channels]`
    pub(super) fn places(self) -> Tensor<3> {
        let pixels = self.pixels();
        let [images, height, width, channels] = pixels.dims();
        pixels.reshape([images, height * width, channels])
    }

    /// One row per image, channels fastest: Keras' order, which is the order of a dense kernel's rows.
    pub(super) fn flatten(self) -> Self {
        if let Self::Rows(rows) = self {
            return Self::Rows(rows);
        }
        let pixels = self.pixels();
        let [images, height, width, channels] = pixels.dims();
        Self::Rows(pixels.reshape([images, height * width * channels]))
    }

    /// Other pixels in the same order of axes as these features.
    pub(super) fn with_pixels(self, pixels: Tensor<4>) -> Self {
        match self {
            Self::Planes(_) => Self::Planes(pixels.permute([0, 3, 1, 2])),
            _ => Self::Pixels(pixels),
        }
    }

    /// `[images, height, width, channels]`, with rows as images of one pixel.
    pub(super) fn into_images(self) -> Tensor<4> {
        match self {
            Self::Rows(rows) => {
                let [images, units] = rows.dims();
                rows.reshape([images, 1, 1, units])
            }
            maps => maps.pixels(),
        }
    }

    /// The inverse of [`Features::into_images`]: other values in the order and shape of these features.
    pub(super) fn with_units(self, pixels: Tensor<4>) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(pixels.reshape(rows.dims())),
            maps => maps.with_pixels(pixels),
        }
    }

    pub(super) fn map(
        self,
        of_rows: impl FnOnce(Tensor<2>) -> Tensor<2>,
        of_maps: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Self {
        match self {
            Self::Planes(planes) => Self::Planes(of_maps(planes)),
            Self::Pixels(pixels) => Self::Pixels(of_maps(pixels)),
            Self::Rows(rows) => Self::Rows(of_rows(rows)),
        }
    }

    pub(super) fn map_planes(self, of_planes: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Self {
        match self {
            Self::Pixels(pixels) => {
                let planes = of_planes(pixels.permute([0, 3, 1, 2]));
                Self::Pixels(planes.permute([0, 2, 3, 1]))
            }
            features => Self::Planes(of_planes(features.planes())),
        }
    }

    /// The product with constants in NHWC order.
    #[cfg(feature = "plain")]
    pub(super) fn times(self, factors: Vec<f32>) -> Self {
        match self {
            Self::Rows(rows) => {
                let factors = TensorData::new(factors, rows.dims());
                Self::Rows(rows.clone() * Tensor::from_data(factors, &rows.device()))
            }
            maps => {
                let pixels = maps.clone().pixels();
                let factors = TensorData::new(factors, pixels.dims());
                let factors = Tensor::from_data(factors, &pixels.device());
                maps.with_pixels(pixels * factors)
            }
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Rows(rows), other) => Self::Rows(rows + other.rows()),
            (Self::Planes(planes), other) => Self::Planes(planes + other.planes()),
            (Self::Pixels(pixels), other) => Self::Pixels(pixels + other.pixels()),
        }
    }

    /// The number of values.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Planes(maps) | Self::Pixels(maps) => maps.dims().iter().product(),
            Self::Rows(rows) => rows.dims().iter().product(),
        }
    }
}
