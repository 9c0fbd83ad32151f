//! Backward: the gradients of kernel, bias and input from the gradient of the block's output.
//!
//! Only the winner of each window carries a gradient, and none where ReLU cut it off: a quarter of the pixels, or less.
//! So both passes gather what is left into [`WinnerLists`] and add up whole runs of floats, which are contiguous in NHWC: for
//! the kernel, runs of the input over all winners of a filter; for the input, runs of the kernel over all filters that won
//! at a pixel.

use super::{Block, Padded, Padding, Shape, add_to};
use crate::buffers::Buffers;
use crate::lanes::{Computation, Instructions, Lanes};
use crate::tile::{Piece, WinnerLists, WinnerNumbers, weighted_sum};

/// Overwrites the gradients of kernel and bias.
pub fn kernel_gradient(
    block: &Block,
    [input, output]: [&[f32]; 2],
    winners: &[u8],
    [gradient, bias]: [&mut [f32]; 2],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    // Filled up to whole vectors.
    let run = shape.run().next_multiple_of(instructions.width());
    let mut by_filter = buffers.zeros(shape.filters * shape.kernel * run);
    let input = Padded::new(&shape, input, [0, 0], buffers);
    let padded = Block { shape: shape.padded(), ..*block };
    // Runs are read to their filled end, which from the last image, or from the last few tiny ones, is behind them all.
    let image = padded.shape.input_size() / shape.images;
    let filled = run - shape.run();
    let last = filled.div_ceil(image).clamp(1, shape.images);
    let mut last_images = buffers.floats(last * image + filled);
    let (pixels, rest) = last_images.split_at_mut(last * image);
    pixels.copy_from_slice(&input[input.len() - last * image..]);
    rest.fill(0.0);
    let band = band(&padded);
    let mut lists = WinnerLists::new(shape.filters, band * padded.output_width(), buffers);
    let mut bias_sums = vec![0.0; shape.filters];
    instructions.run(KernelGradient {
        winners: &Winners { block: &padded, output, winners },
        input: &input,
        last_images: (&last_images, last),
        band,
        lists: &mut lists,
        run,
        gradient: &mut by_filter,
        bias: &mut bias_sums,
    });
    from_filters(&shape, run, &by_filter, gradient);
    for (bias, sum) in bias.iter_mut().zip(bias_sums) {
        *bias = sum as f32;
    }
}

/// Overwrites `gradient` with that of the input.
pub fn input_gradient(
    block: &Block,
    [kernel, output]: [&[f32]; 2],
    winners: &[u8],
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    // Filled up to whole vectors.
    let run = shape.run().next_multiple_of(instructions.width());
    let mut by_filter = buffers.zeros(shape.filters * shape.kernel * run);
    to_filters(&shape, run, kernel, &mut by_filter);
    let padded = Block { shape: shape.padded(), ..*block };
    let winners = &Winners { block: &padded, output, winners };
    let row = padded.output_width() * block.pool * block.pool;
    let lists = &mut WinnerLists::new(row, shape.filters, buffers);
    if shape.padding == Padding::NONE {
        gradient.fill(0.0);
        instructions.run(InputGradient { winners, lists, kernel: &by_filter, run, gradient });
    } else {
        let mut around = buffers.zeros(padded.shape.input_size());
        let gradient_around = &mut around[..];
        let kernel = &by_filter[..];
        instructions.run(InputGradient { winners, lists, kernel, run, gradient: gradient_around });
        crop(&shape, &around, gradient);
    }
}

/// `[kernel, kernel, channels, filters]` to `[filters][kernel][run]`.
fn to_filters(shape: &Shape, run: usize, kernel: &[f32], by_filter: &mut [f32]) {
    by_filter.fill(0.0);
    for (row, values) in kernel.chunks_exact(shape.filters).enumerate() {
        let at = (row / shape.run()) * run + row % shape.run();
        for (filter, &value) in values.iter().enumerate() {
            by_filter[filter * shape.kernel * run + at] = value;
        }
    }
}

/// The way back.
fn from_filters(shape: &Shape, run: usize, by_filter: &[f32], kernel: &mut [f32]) {
    for (row, values) in kernel.chunks_exact_mut(shape.filters).enumerate() {
        let at = (row / shape.run()) * run + row % shape.run();
        for (filter, value) in values.iter_mut().enumerate() {
            *value = by_filter[filter * shape.kernel * run + at];
        }
    }
}

/// What is inside the zeros around an input.
fn crop(shape: &Shape, around: &[f32], gradient: &mut [f32]) {
    let padded = shape.padded();
    let row = padded.width * shape.channels;
    let Padding { top, left, .. } = shape.padding;
    for (index, to) in gradient.chunks_exact_mut(shape.width * shape.channels).enumerate() {
        let (image, y) = (index / shape.height, index % shape.height);
        let at = (image * padded.height + y + top) * row + left * shape.channels;
        to.copy_from_slice(&around[at..at + to.len()]);
    }
}

/// The gradient of the output with the place of each window that it goes to.
struct Winners<'a> {
    /// Without padding.
    block: &'a Block,
    output: &'a [f32],
    winners: &'a [u8],
}

impl Winners<'_> {
    /// For each place of a pool's window, how far its pixel's window is from the first one's in the input.
    fn places(&self) -> Vec<u32> {
        let Block { shape, pool, .. } = *self.block;
        let pixel = |place: usize| (place / pool) * shape.width + place % pool;
        let place = |place| (pixel(place) * shape.stride * shape.channels) as u32;
        (0..pool * pool).map(place).collect()
    }

    /// Where the first place of the window of an output pixel is in the input.
    fn start(&self, image: usize, row: usize, column: usize) -> usize {
        let Block { shape, pool, .. } = *self.block;
        let step = pool * shape.stride;
        ((image * shape.height + row * step) * shape.width + column * step) * shape.channels
    }

    /// Gradient and winner of each filter at an output pixel.
    fn pixel(&self, image: usize, row: usize, column: usize) -> (&[f32], &[u8]) {
        let filters = self.block.shape.filters;
        let pixel = (image * self.block.output_height() + row) * self.block.output_width() + column;
        let range = pixel * filters..(pixel + 1) * filters;
        (&self.output[range.clone()], &self.winners[range])
    }
}

struct KernelGradient<'a> {
    winners: &'a Winners<'a>,
    input: &'a [f32],
    /// So many, with zeros behind them.
    last_images: (&'a [f32], usize),
    /// Rows of output at a time.
    band: usize,
    /// One a filter.
    lists: &'a mut WinnerLists,
    run: usize,
    /// `[filters][kernel][run]`
    gradient: &'a mut [f32],
    /// `[filters]`
    bias: &'a mut [f64],
}

/// Rows of output whose part of the input stays in the nearest cache, of some 32 KB, while all filters go over it.
fn band(block: &Block) -> usize {
    const FLOATS: usize = 5000;
    let row = block.shape.width * block.shape.channels * block.shape.stride * block.pool;
    (FLOATS / row).clamp(1, block.output_height())
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, .. } = *self.winners.block;
        let (height, width) =
            (self.winners.block.output_height(), self.winners.block.output_width());
        let places = WinnerNumbers::new(&self.winners.places());
        let Self { band, lists, .. } = self;
        for image in 0..shape.images {
            let (last_images, last) = self.last_images;
            let (input, place) = match image.checked_sub(shape.images - last) {
                Some(place) => (last_images, place),
                None => (self.input, image),
            };
            for first in (0..height).step_by(band) {
                lists.clear();
                for row in first..height.min(first + band) {
                    for column in 0..width {
                        let start = self.winners.start(place, row, column);
                        let (values, winners) = self.winners.pixel(image, row, column);
                        lists.push_row(values, winners, start, &places);
                    }
                }
                let pitch = shape.width * shape.channels;
                let rows = self.gradient.chunks_exact_mut(shape.kernel * self.run);
                for (filter, gradient) in rows.enumerate() {
                    let vectors = self.run / L::COUNT;
                    self.bias[filter] += f64::from(lists.sum(filter));
                    let lists = (&*lists, filter);
                    match (shape.kernel, vectors) {
                        (3, 1) => add_rows::<L, 3, 1>(gradient, self.run, lists, input, pitch),
                        (3, 2) => add_rows::<L, 3, 2>(gradient, self.run, lists, input, pitch),
                        (3, 3) => add_rows::<L, 3, 3>(gradient, self.run, lists, input, pitch),
                        (3, 4) => add_rows::<L, 3, 4>(gradient, self.run, lists, input, pitch),
                        _ => {
                            for (y, gradient) in gradient.chunks_exact_mut(self.run).enumerate() {
                                let data = (input, y * pitch);
                                widest_pieces::<L>(self.run, &mut Add { gradient, lists, data });
                            }
                        }
                    }
                }
            }
        }
    }
}

/// All rows of a small kernel at once.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn add_rows<L: Lanes, const S: usize, const V: usize>(
    gradient: &mut [f32],
    run: usize,
    lists: (&WinnerLists, usize),
    input: &[f32],
    pitch: usize,
) {
    let mut sums = [[L::splat(0.0); V]; S];
    weighted_sum(&mut sums, lists, (input, 0, pitch));
    for (s, sums) in sums.into_iter().enumerate() {
        add_to(gradient, s * run, sums);
    }
}

struct InputGradient<'a> {
    winners: &'a Winners<'a>,
    /// One for each place of each window in a row of output.
    lists: &'a mut WinnerLists,
    /// `[filters][kernel][run]`
    kernel: &'a [f32],
    run: usize,
    /// Of the padded input.
    gradient: &'a mut [f32],
}

impl Computation for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, pool, .. } = *self.winners.block;
        let (height, width) =
            (self.winners.block.output_height(), self.winners.block.output_width());
        let places = self.winners.places();
        let places_of_window = WinnerNumbers::new(&(0..places.len() as u32).collect::<Vec<_>>());
        let window = shape.kernel * self.run;
        let pitch = shape.width * shape.channels;
        let lists = self.lists;
        for image in 0..shape.images {
            for row in 0..height {
                lists.clear();
                for column in 0..width {
                    let (values, winners) = self.winners.pixel(image, row, column);
                    let first = column * pool * pool;
                    lists.push_by_winner(first, values, winners, window, &places_of_window);
                }
                for y in 0..shape.kernel {
                    widest_pieces::<L>(
                        shape.run(),
                        &mut Spread {
                            gradient: self.gradient,
                            lists,
                            kernel: self.kernel,
                            kernel_row: y * self.run,
                            pixels: width,
                            places: &places,
                            start: self.winners.start(image, row, 0) + y * pitch,
                            step: pool * shape.stride * shape.channels,
                        },
                    );
                }
            }
        }
    }
}

/// Splits a run into the largest parts that fit the registers.
#[inline(always)]
fn widest_pieces<L: Lanes>(run: usize, work: &mut impl Piece) {
    let mut at = 0;
    while run - at >= 8 * L::COUNT {
        work.piece::<L, 8>(at);
        at += 8 * L::COUNT;
    }
    if run - at >= 4 * L::COUNT {
        work.piece::<L, 4>(at);
        at += 4 * L::COUNT;
    }
    if run - at >= 2 * L::COUNT {
        work.piece::<L, 2>(at);
        at += 2 * L::COUNT;
    }
    if run - at >= L::COUNT {
        work.piece::<L, 1>(at);
        at += L::COUNT;
    }
    while at < run {
        work.piece::<f32, 1>(at);
        at += 1;
    }
}

/// Adds a list's sum to a part of one row of a filter's gradient.
struct Add<'a> {
    gradient: &'a mut [f32],
    lists: (&'a WinnerLists, usize),
    data: (&'a [f32], usize),
}

impl Piece for Add<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        add::<L, V>(self.gradient, at, self.lists, self.data.0, self.data.1 + at);
    }
}

/// Adds, for each pixel of a row and each place of its window, the sum of its filters' kernels to a part of the input's
/// gradient.
struct Spread<'a> {
    gradient: &'a mut [f32],
    lists: &'a WinnerLists,
    kernel: &'a [f32],
    kernel_row: usize,
    pixels: usize,
    places: &'a [u32],
    start: usize,
    step: usize,
}

impl Piece for Spread<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        for pixel in 0..self.pixels {
            for (number, &place) in self.places.iter().enumerate() {
                let list = pixel * self.places.len() + number;
                let to = self.start + pixel * self.step + place as usize + at;
                let lists = (self.lists, list);
                add::<L, V>(self.gradient, to, lists, self.kernel, self.kernel_row + at);
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn add<L: Lanes, const V: usize>(
    gradient: &mut [f32],
    at: usize,
    (lists, list): (&WinnerLists, usize),
    data: &[f32],
    base: usize,
) {
    if lists.is_empty(list) {
        return;
    }
    let mut sums = [[L::splat(0.0); V]];
    weighted_sum(&mut sums, (lists, list), (data, base, 0));
    add_to(gradient, at, sums[0]);
}
