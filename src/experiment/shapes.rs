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

/// A layer's output and its trainable numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    pub input: Shape,
    pub output: Shape,
    pub parameters: usize,
}

/// The shape after every layer, or the first layer that does not fit its input. Expects every number in its range.
pub fn layer_shapes(
    network: &NetworkConfig,
    dataset: &DatasetConfig,
) -> Result<Vec<LayerShape>, InvalidField> {
    let side = dataset.side as usize;
    let mut input = Shape::Image([side, side, dataset.channels as usize]);
    let mut shapes = Vec::with_capacity(network.layers.len());
    for (index, layer) in network.layers.iter().enumerate() {
        let (output, parameters) = output_of(layer, input, &format!("network.layers[{index}]"))?;
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
    match *layer {
        LayerConfig::Conv2d { filters, kernel, padding, use_bias, .. } => {
            let [height, width, channels] = image(input, path, "conv2d")?;
            let (size, filters) = (kernel as usize, filters as usize);
            let parameters = size * size * channels * filters + if use_bias { filters } else { 0 };
            let output = match padding {
                Padding::Same => [height, width, filters],
                Padding::Valid => {
                    fits(size, height.min(width), path, "kernel", "Kernel", input)?;
                    [height - size + 1, width - size + 1, filters]
                }
            };
            Ok((Shape::Image(output), parameters))
        }
        LayerConfig::MaxPool { pool } => {
            let [height, width, channels] = image(input, path, "max_pool")?;
            let size = pool as usize;
            fits(size, height.min(width), path, "pool", "Pool", input)?;
            Ok((Shape::Image([height / size, width / size, channels]), 0))
        }
        LayerConfig::Flatten {} => Ok((Shape::Flat(input.size()), 0)),
        LayerConfig::Dense { units, use_bias, .. } => {
            let Shape::Flat(inputs) = input else {
                return Err(InvalidField::new(
                    path,
                    "Layer",
                    "dense on an image",
                    "after a flatten layer",
                ));
            };
            let units = units as usize;
            Ok((Shape::Flat(units), inputs * units + if use_bias { units } else { 0 }))
        }
        LayerConfig::Activation { .. } => Ok((input, 0)),
    }
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
