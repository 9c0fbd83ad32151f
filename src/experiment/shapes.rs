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
    /// Numbers an image.
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

/// A layer's output and its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    pub input: Shape,
    pub output: Shape,
    /// Trainable numbers.
    pub parameters: usize,
}

/// Strides of a convolution; of a pool as many as its window is wide, and no more than the list of limits says.
const MOST_CONV_STRIDES: u32 = 4;

/// The shape after every layer, or the first layer that does not fit its input. Expects every number in its range.
pub fn layer_shapes(
    network: &NetworkConfig,
    dataset: &DatasetConfig,
) -> Result<Vec<LayerShape>, InvalidField> {
    let side = dataset.side as usize;
    let mut input = Shape::Image([side, side, dataset.channels as usize]);
    let mut shapes = Vec::with_capacity(network.layers.len());
    let mut saved = None;
    for (index, layer) in network.layers.iter().enumerate() {
        let path = format!("network.layers[{index}]");
        let (output, parameters) = match layer {
            LayerConfig::Save {} => {
                saved = Some(input);
                (input, 0)
            }
            LayerConfig::AddSaved {} => {
                addable(saved, input, &path)?;
                (input, 0)
            }
            layer => output_of(layer, input, &path)?,
        };
        shapes.push(LayerShape { input, output, parameters });
        input = output;
    }
    Ok(shapes)
}

fn output_of(
    layer: &LayerConfig,
    input: Shape,
    path: &str,
) -> Result<(Shape, usize), InvalidField> {
    let bias = |use_bias: bool, count: usize| if use_bias { count } else { 0 };
    match *layer {
        LayerConfig::Conv2d { filters, kernel, strides, padding, use_bias, .. } => {
            let [_, _, channels] = image(input, path, "conv2d")?;
            if strides > MOST_CONV_STRIDES {
                return Err(InvalidField::new(
                    format!("{path}.strides"),
                    "Strides of a convolution",
                    strides.to_string(),
                    format!("a whole number from 1 to {MOST_CONV_STRIDES}"),
                ));
            }
            let window = Window { size: kernel, strides, padding };
            let [height, width] = window.output(input, path, ["kernel", "Kernel"])?;
            let (size, filters) = (kernel as usize, filters as usize);
            let parameters = size * size * channels * filters + bias(use_bias, filters);
            Ok((Shape::Image([height, width, filters]), parameters))
        }
        LayerConfig::LocallyConnected { filters, kernel, use_bias, .. } => {
            let [_, _, channels] = image(input, path, "locally_connected")?;
            let window = Window { size: kernel, strides: 1, padding: Padding::Valid };
            let [height, width] = window.output(input, path, ["kernel", "Kernel"])?;
            let (size, filters) = (kernel as usize, filters as usize);
            let place = size * size * channels * filters + bias(use_bias, filters);
            Ok((Shape::Image([height, width, filters]), height * width * place))
        }
        LayerConfig::MaxPool { pool, strides, padding }
        | LayerConfig::AveragePool { pool, strides, padding } => {
            let [_, _, channels] = image(input, path, "a pool")?;
            let window = Window { size: pool, strides, padding };
            let [height, width] = window.output(input, path, ["pool", "Pool"])?;
            Ok((Shape::Image([height, width, channels]), 0))
        }
        LayerConfig::GlobalMaxPool {} | LayerConfig::GlobalAveragePool {} => {
            let [_, _, channels] = image(input, path, "a global pool")?;
            Ok((Shape::Flat(channels), 0))
        }
        LayerConfig::Flatten {} => Ok((Shape::Flat(input.size()), 0)),
        LayerConfig::Dense { units, use_bias, .. } => {
            let Shape::Flat(inputs) = input else {
                return Err(InvalidField::new(
                    path,
                    "Layer",
                    "dense on an image",
                    "after a flatten layer or a global pool",
                ));
            };
            let units = units as usize;
            Ok((Shape::Flat(units), inputs * units + bias(use_bias, units)))
        }
        LayerConfig::BatchNorm { .. } | LayerConfig::LayerNorm { .. } => {
            Ok((input, 2 * input.units()))
        }
        LayerConfig::Dropout { .. }
        | LayerConfig::Reshape {}
        | LayerConfig::Save {}
        | LayerConfig::AddSaved {}
        | LayerConfig::LeakyRelu { .. }
        | LayerConfig::Activation { .. } => Ok((input, 0)),
    }
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

    fn output(
        self,
        input: Shape,
        path: &str,
        [field, label]: [&str; 2],
    ) -> Result<[usize; 2], InvalidField> {
        let [height, width, _] = image(input, path, "a window")?;
        if self.padding == Padding::Valid {
            fits(self.size as usize, height.min(width), path, field, label, input)?;
        }
        Ok([self.count(height), self.count(width)])
    }
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

fn image(input: Shape, path: &str, layer: &str) -> Result<[usize; 3], InvalidField> {
    match input {
        Shape::Image(shape) => Ok(shape),
        Shape::Flat(_) => Err(InvalidField::new(
            path,
            "Layer",
            format!("{layer} on a flat row"),
            "before the flatten layer",
        )),
    }
}

/// A window of `size` needs that much room in its input.
fn fits(
    size: usize,
    room: usize,
    path: &str,
    field: &str,
    label: &str,
    input: Shape,
) -> Result<(), InvalidField> {
    if size <= room {
        return Ok(());
    }
    Err(InvalidField::new(
        format!("{path}.{field}"),
        label,
        size.to_string(),
        format!("a whole number from 1 to {room}, for its input is {input}"),
    ))
}
