//! Max-pool of windows that lie side by side, where no convolution takes it in.

use crate::lanes::{BLOCK, Instructions, Kernel, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Piece, pieces};

/// A max-pool and the sizes of what it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    pub images: usize,
    /// Of the input.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Side of the windows, at most [`LARGEST`]. What is left over at the edge is dropped.
    pub pool: usize,
}

/// The largest pool whose windows' places are numbered by a byte.
pub const LARGEST: usize = 16;

impl MaxPool {
    pub fn output_height(&self) -> usize {
        self.height / self.pool
    }

    pub fn output_width(&self) -> usize {
        self.width / self.pool
    }

    /// Floats of the input.
    pub fn input_size(&self) -> usize {
        product([self.images, self.height, self.width, self.channels])
    }

    /// Floats of the output, which are no more than the input's.
    pub fn output_size(&self) -> usize {
        self.images * self.output_height() * self.output_width() * self.channels
    }

    /// Where the window of an output pixel has its first float in the input.
    fn start(&self, image: usize, row: usize, column: usize) -> usize {
        let row = image * self.height + row * self.pool;
        (row * self.width + column * self.pool) * self.channels
    }

    /// How far the pixel at a place of a window is from the window's first.
    fn offset(&self, place: usize) -> usize {
        (place / self.pool * self.width + place % self.pool) * self.channels
    }
}

/// Computes the largest numbers of all windows, `[images, output height, output width, channels]`, and their places in the
/// windows. The first of equal numbers wins, and what is not a number wins over all.
///
/// # Shapes
/// - input: `[images, height, width, channels]`
/// - winners: one an output
pub fn forward(
    pool: &MaxPool,
    input: &[f32],
    output: &mut [f32],
    winners: &mut [u8],
    instructions: Instructions,
) {
    assert!((1..=LARGEST).contains(&pool.pool));
    assert_eq!(input.len(), pool.input_size());
    assert_eq!(output.len(), pool.output_size());
    assert_eq!(winners.len(), output.len());
    instructions.run(Forward { pool, input, output, winners });
}

/// Overwrites `of_input`, which has the input's size, with its gradient: that of each output at its winner's place, and zero
/// elsewhere.
pub fn backward(pool: &MaxPool, gradient: &[f32], winners: &[u8], of_input: &mut [f32]) {
    assert!((1..=LARGEST).contains(&pool.pool));
    assert_eq!(of_input.len(), pool.input_size());
    assert_eq!(gradient.len(), pool.output_size());
    assert_eq!(winners.len(), gradient.len());
    of_input.fill(0.0);
    let mut offsets = [0; LARGEST * LARGEST];
    for (place, offset) in offsets[..pool.pool * pool.pool].iter_mut().enumerate() {
        *offset = pool.offset(place);
    }
    let window = offsets[pool.pool * pool.pool - 1] + pool.channels;
    let (rows, columns) = (pool.output_height(), pool.output_width());
    let pixels = gradient.chunks_exact(pool.channels).zip(winners.chunks_exact(pool.channels));
    for (pixel, (values, winners)) in pixels.enumerate() {
        let (image, row, column) =
            (pixel / (rows * columns), pixel / columns % rows, pixel % columns);
        let of_window = &mut of_input[pool.start(image, row, column)..][..window];
        for (channel, (&value, &winner)) in values.iter().zip(winners).enumerate() {
            of_window[offsets[usize::from(winner)] + channel] = value;
        }
    }
}

struct Forward<'a> {
    pool: &'a MaxPool,
    input: &'a [f32],
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let (rows, columns) = (self.pool.output_height(), self.pool.output_width());
        let Self { pool, input, .. } = self;
        let outputs = self.output.chunks_exact_mut(pool.channels);
        let pixels = outputs.zip(self.winners.chunks_exact_mut(pool.channels));
        for (pixel, (output, winners)) in pixels.enumerate() {
            let (image, row, column) =
                (pixel / (rows * columns), pixel / columns % rows, pixel % columns);
            let start = pool.start(image, row, column);
            pieces::<L>(pool.channels, &mut Window { pool, input, start, output, winners });
        }
    }
}

/// One output pixel.
struct Window<'a> {
    pool: &'a MaxPool,
    input: &'a [f32],
    /// The window's first float in the input.
    start: usize,
    /// `[channels]`
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Piece for Window<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let mut best: [L; V] = load(self.input, self.start + at);
        // Places are whole numbers in the bits of a float: nothing computes with them.
        let mut winner = [L::splat(f32::from_bits(0)); V];
        for row in 0..self.pool.pool {
            for column in 0..self.pool.pool {
                let place = row * self.pool.pool + column;
                if place == 0 {
                    continue;
                }
                let offset = (row * self.pool.width + column) * self.pool.channels;
                let values: [L; V] = load(self.input, self.start + offset + at);
                let place = L::splat(f32::from_bits(place as u32));
                for ((best, winner), value) in best.iter_mut().zip(&mut winner).zip(values) {
                    *winner = best.where_beaten(value, [place, *winner]);
                    *best = best.where_beaten(value, [value, *best]);
                }
            }
        }
        store(best, self.output, at);
        let mut places = [0.0; 4 * BLOCK];
        store(winner, &mut places, 0);
        for (winner, place) in self.winners[at..][..V * L::COUNT].iter_mut().zip(places) {
            *winner = place.to_bits() as u8;
        }
    }
}
