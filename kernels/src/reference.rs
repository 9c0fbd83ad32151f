//! The plain definition of a convolution, in f64, and random numbers to compute it from. Tests and the benchmark compare the fast
//! kernels with it.

use crate::convolution::{Block, Padding, Shape};

/// `count` numbers between -1 and 1.
pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let number = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(number).take(count).collect()
}

/// The places of one multiplication in the convolution's output, its input and its kernel.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    pub output: usize,
    pub input: usize,
    pub weight: usize,
}

/// Calls `visit` for each multiplication of a convolution.
pub fn each_term(shape: &Shape, mut visit: impl FnMut(Term)) {
    let (rows, columns) = (shape.output_height(), shape.output_width());
    let Padding { top, left, .. } = shape.padding;
    for image in 0..shape.images {
        for row in 0..rows {
            for column in 0..columns {
                for y in 0..shape.window {
                    for x in 0..shape.window {
                        let inside = |at: usize, before: usize, size: usize| {
                            at.checked_sub(before).filter(|&at| at < size)
                        };
                        let from_row = inside(row * shape.stride + y, top, shape.height);
                        let from_column = inside(column * shape.stride + x, left, shape.width);
                        let (Some(from_row), Some(from_column)) = (from_row, from_column) else {
                            continue;
                        };
                        let to = (image * rows + row) * columns + column;
                        let from = (image * shape.height + from_row) * shape.width + from_column;
                        let place = y * shape.window + x;
                        for channel in 0..shape.channels {
                            let weights = place * shape.channels + channel;
                            for filter in 0..shape.filters {
                                visit(Term {
                                    output: to * shape.filters + filter,
                                    input: from * shape.channels + channel,
                                    weight: weights * shape.filters + filter,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The convolution's output, before ReLU and pool: `[images, output height, output width, filters]`.
pub fn convolve(shape: &Shape, input: &[f32], kernel: &[f32], bias: &[f32]) -> Vec<f64> {
    let pixels = shape.images * shape.output_height() * shape.output_width();
    let mut output = bias.iter().map(|&bias| f64::from(bias)).collect::<Vec<_>>().repeat(pixels);
    each_term(shape, |term| {
        output[term.output] += f64::from(input[term.input]) * f64::from(kernel[term.weight]);
    });
    output
}

/// The places in the convolution's output of the pool's window from which one of the block's outputs comes.
pub fn window(block: &Block, output: usize) -> impl Iterator<Item = usize> {
    let Block { shape, pool, .. } = *block;
    let (pixel, filter) = (output / shape.filters, output % shape.filters);
    let (height, width) = (block.output_height(), block.output_width());
    let (image, row, column) = (pixel / (height * width), pixel / width % height, pixel % width);
    (0..pool * pool).map(move |place| {
        let y = image * shape.output_height() + row * pool + place / pool;
        let x = column * pool + place % pool;
        (y * shape.output_width() + x) * shape.filters + filter
    })
}

/// One of the block's outputs, from the output of [`convolve`].
pub fn output(block: &Block, convolved: &[f64], output: usize) -> f64 {
    let lowest = if block.relu { 0.0 } else { f64::NEG_INFINITY };
    window(block, output).map(|place| convolved[place]).fold(lowest, f64::max)
}
