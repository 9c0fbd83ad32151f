//! What flows between layers: images in one of two orders of axes, or rows.

#[cfg(feature = "plain")]
use burn::tensor::TensorData;
use burn::tensor::{Gradients, Tensor};

use super::floats;

/// What flows between layers.
#[derive(Clone, Debug)]
pub enum Features {
    /// `[images, channels, height, width]`, as Burn's own operations want it.
    Planes(Tensor<4>),
    /// `[images, height, width, channels]`, as the kernels want it.
    Pixels(Tensor<4>),
    /// `[images, units]`.
    Rows(Tensor<2>),
}

impl Features {
    /// The same numbers as a leaf of the graph: a backward pass from what is computed of them ends here.
    pub fn cut(self) -> Self {
        match self {
            Self::Planes(planes) => Self::Planes(planes.detach().require_grad()),
            Self::Pixels(pixels) => Self::Pixels(pixels.detach().require_grad()),
            Self::Rows(rows) => Self::Rows(rows.detach().require_grad()),
        }
    }

    /// The gradient of what [`Features::cut`] gave, in the order of [`Features::to_nhwc`]; zeros where nothing depends on it.
    pub fn gradient(&self, gradients: &mut Gradients) -> Vec<f32> {
        let (_, values) = self.to_nhwc();
        let gradient = match self {
            Self::Planes(planes) => planes.grad_remove(gradients).map(Self::Planes),
            Self::Pixels(pixels) => pixels.grad_remove(gradients).map(Self::Pixels),
            Self::Rows(rows) => rows.grad_remove(gradients).map(Self::Rows),
        };
        gradient.map_or(vec![0.0; values.len()], |gradient| gradient.to_nhwc().1)
    }

    /// The numbers in Keras' order, NHWC, with their shape.
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

    /// One row an image, channels fastest: Keras' order, in which the dense kernel's rows lie.
    pub(super) fn flatten(self) -> Self {
        if let Self::Rows(rows) = self {
            return Self::Rows(rows);
        }
        let pixels = self.pixels();
        let [images, height, width, channels] = pixels.dims();
        Self::Rows(pixels.reshape([images, height * width * channels]))
    }

    /// The same order of axes with other pixels.
    pub(super) fn with_pixels(self, pixels: Tensor<4>) -> Self {
        match self {
            Self::Planes(_) => Self::Planes(pixels.permute([0, 3, 1, 2])),
            _ => Self::Pixels(pixels),
        }
    }

    /// Rows as images of one pixel: `[images, height, width, channels or units]`.
    pub(super) fn into_images(self) -> Tensor<4> {
        match self {
            Self::Rows(rows) => {
                let [images, units] = rows.dims();
                rows.reshape([images, 1, 1, units])
            }
            maps => maps.pixels(),
        }
    }

    /// The way back from [`Features::into_images`].
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

    /// Times constants, given in NHWC order.
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

    /// Numbers in all.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Planes(maps) | Self::Pixels(maps) => maps.dims().iter().product(),
            Self::Rows(rows) => rows.dims().iter().product(),
        }
    }
}
