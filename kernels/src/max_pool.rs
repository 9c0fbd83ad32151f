//! Max-pool as a layer of its own, where it is not part of a convolution's block.

use std::ops::Range;

use crate::lanes::{Computation, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Piece, pieces};

/// The windows along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the input along the axis.
    pub input: usize,
    /// Pixels of a window.
    pub window: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Places before and after the input, each fewer than a window has. Pixels at the end that fill no window are dropped.
    pub padding: [usize; 2],
}

impl Axis {
    /// The number of windows.
    pub fn output(&self) -> usize {
        (self.input + self.padding[0] + self.padding[1] - self.window) / self.stride + 1
    }

    /// The pixels of the input that are in a window, at least one.
    #[inline(always)]
    fn pixels(&self, window: usize) -> Range<usize> {
        let start = window * self.stride;
        let before = self.padding[0];
        start.max(before) - before..(start + self.window).min(before + self.input) - before
    }

    fn check(&self) {
        assert!(self.padding.iter().all(|&places| places < self.window));
        assert!(self.window <= self.input + self.padding[0] + self.padding[1] && self.stride > 0);
    }
}

/// A max-pool and the sizes of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    pub images: usize,
    pub rows: Axis,
    pub columns: Axis,
    pub channels: usize,
}

impl MaxPool {
    /// Floats of the input.
    pub fn input_size(&self) -> usize {
        product(&[self.images, self.rows.input, self.columns.input, self.channels])
    }

    /// Floats of the output.
    pub fn output_size(&self) -> usize {
        product(&[self.images, self.rows.output(), self.columns.output(), self.channels])
    }

    #[inline(always)]
    fn position(&self, pixel: usize) -> Position {
        let (rows, columns) = (self.rows.output(), self.columns.output());
        Position {
            image: pixel / (rows * columns),
            row: pixel / columns % rows,
            column: pixel % columns,
        }
    }

    fn check(&self) {
        self.rows.check();
        self.columns.check();
        assert!(u32::try_from(self.rows.input * self.columns.input).is_ok());
    }
}

/// The image, row and column of an output pixel.
struct Position {
    image: usize,
    row: usize,
    column: usize,
}

/// Computes the largest value of each window, and the pixel of the image from which it comes. The first of equal values wins, and
/// NaN wins over all numbers.
///
/// # Shapes
/// - input: `[images, rows, columns, channels]`
/// - output: `[images, output rows, output columns, channels]`
/// - winners: one per output, the pixel's index in the bits of the float
pub fn forward(
    pool: &MaxPool,
    input: &[f32],
    output: &mut [f32],
    winners: &mut [f32],
    instructions: Instructions,
) {
    pool.check();
    assert_eq!(input.len(), pool.input_size());
    assert_eq!(output.len(), pool.output_size());
    assert_eq!(winners.len(), output.len());
    instructions.run(Forward { pool, input, output, winners });
}

/// Overwrites `of_input` with the input's gradient, which has the input's size: for each value, the sum of the gradients of the
/// outputs that come from it.
pub fn backward(pool: &MaxPool, gradient: &[f32], winners: &[f32], of_input: &mut [f32]) {
    pool.check();
    assert_eq!(of_input.len(), pool.input_size());
    assert_eq!(gradient.len(), pool.output_size());
    assert_eq!(winners.len(), gradient.len());
    of_input.fill(0.0);
    let image = of_input.len() / pool.images;
    let outputs = gradient.len() / pool.images;
    let images = gradient.chunks_exact(outputs).zip(winners.chunks_exact(outputs));
    for (of_image, (gradient, winners)) in of_input.chunks_exact_mut(image).zip(images) {
        let channels = pool.channels;
        let pixels = gradient.chunks_exact(channels).zip(winners.chunks_exact(channels));
        for (values, winners) in pixels {
            for (channel, (value, winner)) in values.iter().zip(winners).enumerate() {
                of_image[winner.to_bits() as usize * channels + channel] += value;
            }
        }
    }
}

struct Forward<'a> {
    pool: &'a MaxPool,
    input: &'a [f32],
    output: &'a mut [f32],
    winners: &'a mut [f32],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Self { pool, .. } = self;
        let image_size = self.input.len() / pool.images;
        let outputs = self.output.chunks_exact_mut(pool.channels);
        let pixels = outputs.zip(self.winners.chunks_exact_mut(pool.channels));
        for (pixel, (output, winners)) in pixels.enumerate() {
            let Position { image, row, column } = pool.position(pixel);
            let input = &self.input[image * image_size..][..image_size];
            let (rows, columns) = (pool.rows.pixels(row), pool.columns.pixels(column));
            let mut window = Window { pool, input, rows, columns, output, winners };
            pieces::<L, 4>(pool.channels, &mut window);
        }
    }
}

/// The window of one output pixel.
struct Window<'a> {
    pool: &'a MaxPool,
    /// The window's image.
    input: &'a [f32],
    /// The window's rows and columns.
    rows: Range<usize>,
    columns: Range<usize>,
    /// `[channels]`
    output: &'a mut [f32],
    winners: &'a mut [f32],
}

impl Piece for Window<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let (width, channels) = (self.pool.columns.input, self.pool.channels);
        let first = self.rows.start * width + self.columns.start;
        let mut best: [L; V] = load(self.input, first * channels + at);
        // A pixel's index is a whole number in the bits of a float: nothing computes with it.
        let mut winner = [L::splat(f32::from_bits(first as u32)); V];
        for row in self.rows.clone() {
            for column in self.columns.clone() {
                let pixel = row * width + column;
                if pixel == first {
                    continue;
                }
                let values: [L; V] = load(self.input, pixel * channels + at);
                let pixel = L::splat(f32::from_bits(pixel as u32));
                for ((best, winner), value) in best.iter_mut().zip(&mut winner).zip(values) {
                    *winner = best.where_beaten(value, pixel, *winner);
                    *best = best.where_beaten(value, value, *best);
                }
            }
        }
        store(best, self.output, at);
        store(winner, self.winners, at);
    }
}
