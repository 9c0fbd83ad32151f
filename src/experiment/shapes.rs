//! The shape of what flows through the layers, from the configuration alone.

use super::{DatasetConfig, InvalidField, LayerConfig, NetworkConfig, Padding};

/// What one image is at some depth of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Height, width, channels.
    Image([usize; 3]),
    /// Units in a row.
    Flat(usize),
}

impl Shape {
    /// Numbers in one image.
    pub fn size(self) -> usize {
        match self {
            Self::Image([height, width, channels]) => height * width * channels,
            Self::Flat(units) => units,
        }
    }

    /// Filters or units: what a ReLU layer has one of for each dead or live unit.
    pub fn units(self) -> usize {
        match self {
            Self::Image([_, _, channels]) => channels,
            Self::Flat(units) => units,
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image([height, width, channels]) => {
                write!(f, "{height} × {width} × {channels}")
            }
            Self::Flat(units) => write!(f, "{units}"),
        }
    }
}

/// A layer's input, output and weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    pub input: Shape,
    pub output: Shape,
    /// Trainable numbers.
    pub parameters: usize,
}

/// The shape after every layer, or the first layer that does not fit its input. Expects every number in its range.
pub fn layer_shapes(
    network: &NetworkConfig,
    dataset: &DatasetConfig,
) -> Result<Vec<LayerShape>, InvalidField> {
    let size = [dataset.height, dataset.width, dataset.channels];
    let mut input = Shape::Image(size.map(|size| size as usize));
    let mut shapes = Vec::with_capacity(network.layers.len());
    let mut saved = None;
    for (index, layer) in network.layers.iter().enumerate() {
        let path = format!("network.layers[{index}]");
        match layer {
            LayerConfig::Save {} => saved = Some(input),
            LayerConfig::AddSaved {} => addable(saved, input, &path)?,
            _ => {}
        }
        let shape = layer.shape(input, &path)?;
        shapes.push(shape);
        input = shape.output;
    }
    Ok(shapes)
}

/// A window that slides over an image.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub size: u32,
    pub strides: u32,
    pub padding: Padding,
}

impl Window {
    /// Windows along an axis of so many pixels.
    pub fn count(self, pixels: usize) -> usize {
        let strides = self.strides as usize;
        match self.padding {
            Padding::Same => pixels.div_ceil(strides),
            Padding::Valid => (pixels - self.size as usize) / strides + 1,
        }
    }

    /// Whether each pixel is in one window at most, and none is padding.
    pub fn lies_side_by_side(self) -> bool {
        self.strides == self.size && self.padding == Padding::Valid
    }

    /// Pixels of padding before and after an axis, the odd one after.
    pub fn padded(self, pixels: usize) -> [usize; 2] {
        if self.padding == Padding::Valid {
            return [0, 0];
        }
        let needed = (self.count(pixels) - 1) * self.strides as usize + self.size as usize;
        let all = needed.saturating_sub(pixels);
        [all / 2, all - all / 2]
    }

    /// The padding around an image.
    pub fn border(self, height: usize, width: usize) -> Border {
        let ([top, bottom], [left, right]) = (self.padded(height), self.padded(width));
        Border { top, bottom, left, right }
    }
}

/// Pixels of padding around an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

impl Border {
    pub const NONE: Self = Self { top: 0, bottom: 0, left: 0, right: 0 };
}

fn addable(saved: Option<Shape>, input: Shape, path: &str) -> Result<(), InvalidField> {
    let (value, wanted) = match saved {
        None => ("add_saved".to_string(), "after a save layer".to_string()),
        Some(saved) if saved == input => return Ok(()),
        Some(saved) => (
            format!("add_saved of {saved} to {input}"),
            format!("where the shape is that of the save layer, {saved}"),
        ),
    };
    Err(InvalidField::new(path, "Layer", value, wanted))
}
