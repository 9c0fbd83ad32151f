//! The shape of each layer's input and output, from the configuration alone.

use super::{DatasetConfig, InvalidField, LayerConfig, NetworkConfig, Padding};

/// The shape of one image's activations between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Height, width, channels.
    Image([usize; 3]),
    /// A row of this many units.
    Flat(usize),
}

impl Shape {
    /// The number of activations of one image.
    pub fn size(self) -> usize {
        match self {
            Self::Image([height, width, channels]) => height * width * channels,
            Self::Flat(units) => units,
        }
    }

    /// The number of channels or units. A dead unit of a ReLU layer is one of these.
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

/// A layer's input shape, output shape and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    pub input: Shape,
    pub output: Shape,
    /// The number of trainable parameters.
    pub parameters: u64,
}

/// The shapes of every layer, or an error for the first layer that does not fit its input. Expects every number in its range.
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
    /// The number of windows along an axis of this many pixels.
    pub fn count(self, pixels: usize) -> usize {
        let strides = self.strides as usize;
        match self.padding {
            Padding::Same => pixels.div_ceil(strides),
            Padding::Valid => (pixels - self.size as usize) / strides + 1,
        }
    }

    /// Whether windows neither overlap nor leave gaps, without padding.
    pub fn lies_side_by_side(self) -> bool {
        self.strides == self.size && self.padding == Padding::Valid
    }

    /// The pixels of padding before and after an axis, an odd one after it.
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
            format!("at a place where the shape is the saved one, {saved}"),
        ),
    };
    Err(InvalidField::new(path, "Layer", value, wanted))
}
