//! By the definition. Forward: rows of output pixels, a group of filters at a time, pooled while they are in the nearest cache.
//! The kernel's gradient: for each place of the window, the products of the pixels there with the gradients of all outputs.

use super::{Block, Inputs, NO_WINNER, Padded, Shape, add_to, compare, put};
use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, load_unchecked, store};
use crate::tile::{Walk, tile, tile_unchecked};

/// See [`super::forward`].
pub fn forward(
    block: &Block,
    Inputs { input, kernel, bias }: Inputs,
    output: &mut [f32],
    winners: &mut [u8],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    let input = Padded::new(&shape, input, [0, 0], buffers);
    let groups = shape.filters.div_ceil(GROUP);
    let window = shape.kernel * shape.run();
    let mut packed = buffers.floats(groups * (1 + window) * GROUP);
    let (packed_bias, packed_kernel) = packed.split_at_mut(groups * GROUP);
    packed_bias.fill(0.0);
    packed_bias[..shape.filters].copy_from_slice(bias);
    pack(kernel, shape.filters, packed_kernel);
    let mut lines = buffers.floats(block.pool * shape.output_width() * GROUP);
    let shape = shape.padded();
    instructions.run(Forward {
        block: Block { shape, ..*block },
        input: &input,
        kernel: packed_kernel,
        bias: packed_bias,
        lines: &mut lines,
        output,
        winners,
    });
}

/// Groups of [`GROUP`] filters, one behind the other, filled up with zeros: `[groups][rows of the kernel][GROUP]`.
fn pack(kernel: &[f32], filters: usize, packed: &mut [f32]) {
    let groups = filters.div_ceil(GROUP);
    for (group, packed) in packed.chunks_exact_mut(packed.len() / groups).enumerate() {
        let from = group * GROUP..filters.min((group + 1) * GROUP);
        let rows = kernel.chunks_exact(filters).map(|row| &row[from.clone()]);
        for (to, row) in packed.chunks_exact_mut(GROUP).zip(rows) {
            let (values, rest) = to.split_at_mut(row.len());
            values.copy_from_slice(row);
            rest.fill(0.0);
        }
    }
}

struct Forward<'a> {
    block: Block,
    input: &'a [f32],
    /// `[groups][kernel][run][GROUP]`
    kernel: &'a [f32],
    /// `[groups][GROUP]`
    bias: &'a [f32],
    /// Output rows of one window and one group: `[pool][output width][GROUP]`.
    lines: &'a mut [f32],
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, relu, pool } = self.block;
        let (rows, width) = (self.block.output_height(), self.block.output_width());
        // Columns that no window of the pool takes are left out.
        let columns = width * pool;
        let line = shape.output_width() * GROUP;
        let kernels = self.kernel.chunks_exact(shape.kernel * shape.run() * GROUP);
        for image in 0..shape.images {
            let groups = kernels.clone().zip(self.bias.chunks_exact(GROUP)).enumerate();
            for (number, (kernel, bias)) in groups {
                let filters = number * GROUP..shape.filters.min((number + 1) * GROUP);
                for row in 0..rows {
                    for (y, line) in self.lines.chunks_exact_mut(line).enumerate() {
                        let y = image * shape.height + (row * pool + y) * shape.stride;
                        let start = y * shape.width * shape.channels;
                        let line = &mut line[..columns * GROUP];
                        convolve_line::<L, ROWS, VECTORS>(
                            &shape, self.input, start, kernel, bias, line,
                        );
                    }
                    let at = (image * rows + row) * width * shape.filters;
                    let to = at + filters.start..at + width * shape.filters;
                    let pooled = Pooled {
                        lines: self.lines,
                        line,
                        filters: [shape.filters, filters.len()],
                        relu,
                        output: &mut self.output[to.clone()],
                        winners: &mut self.winners[to],
                    };
                    match pool {
                        1 => pooled.write::<L, VECTORS, 1>(pool, width),
                        2 => pooled.write::<L, VECTORS, 2>(pool, width),
                        _ => pooled.write::<L, VECTORS, 0>(pool, width),
                    }
                }
            }
        }
    }
}

/// One row of output pixels for one group of filters. The input's row starts at `start`.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn convolve_line<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    shape: &Shape,
    input: &[f32],
    start: usize,
    kernel: &[f32],
    bias: &[f32],
    line: &mut [f32],
) {
    let columns = line.len() / GROUP;
    let step = shape.stride * shape.channels;
    let pitch = shape.width * shape.channels;
    // What the tiles rely on: the last pixel's window and the kernel are inside.
    assert!(start + (columns - 1) * step + (shape.kernel - 1) * pitch + shape.run() <= input.len());
    assert_eq!(kernel.len(), shape.kernel * shape.run() * GROUP);
    let bias = load(bias, 0);
    if columns >= ROWS {
        for column in (0..columns).step_by(ROWS) {
            // The last tile computes some pixels anew rather than fewer at a time.
            let column = column.min(columns - ROWS);
            // SAFETY: the row was checked.
            unsafe {
                convolve_pixels::<L, ROWS, VECTORS>(shape, input, start, kernel, bias, line, column)
            };
        }
    } else {
        for column in 0..columns {
            // SAFETY: as above.
            unsafe {
                convolve_pixels::<L, 1, VECTORS>(shape, input, start, kernel, bias, line, column)
            };
        }
    }
}

/// # Safety
/// The windows of `ROWS` pixels from `column` on are inside the input, and the kernel has a whole group.
#[inline(always)]
unsafe fn convolve_pixels<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    shape: &Shape,
    input: &[f32],
    start: usize,
    kernel: &[f32],
    bias: [L; VECTORS],
    line: &mut [f32],
    column: usize,
) {
    let mut sums = [bias; ROWS];
    let step = shape.stride * shape.channels;
    let left = Walk { start: start + column * step, step: [shape.width * shape.channels, 1] };
    let right = Walk { start: 0, step: [shape.run() * GROUP, GROUP] };
    let rows = std::array::from_fn(|row| row * step);
    // SAFETY: the caller's promise.
    unsafe {
        tile_unchecked(&mut sums, [shape.kernel, shape.run()], (input, rows, left), (kernel, right))
    };
    for (row, sums) in sums.into_iter().enumerate() {
        store(sums, line, (column + row) * GROUP);
    }
}

/// A row of output pixels behind the pool, for one group of filters.
struct Pooled<'a> {
    /// Rows before the pool, so many floats each.
    lines: &'a [f32],
    line: usize,
    /// From one output pixel to the next, and in this group.
    filters: [usize; 2],
    relu: bool,
    /// From the group's first filter of the row's first pixel on.
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Pooled<'_> {
    /// `POOL` is `pool` where the compiler shall know it, and 0 otherwise.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn write<L: Lanes, const V: usize, const POOL: usize>(self, pool: usize, width: usize) {
        let pool = if POOL == 0 { pool } else { POOL };
        let [pitch, filters] = self.filters;
        // What the loads rely on: the last window is inside.
        assert!((pool - 1) * self.line + width * pool * GROUP <= self.lines.len());
        for x in 0..width {
            let at = x * pool * GROUP;
            // SAFETY: the window was checked.
            let mut best: [L; V] = unsafe { load_unchecked(self.lines, at) };
            let mut winner = [L::splat(f32::from_bits(0)); V];
            for place in 1..pool * pool {
                let at = at + (place / pool) * self.line + place % pool * GROUP;
                // SAFETY: as above.
                let values = unsafe { load_unchecked(self.lines, at) };
                compare(&mut best, &mut winner, values, place);
            }
            let range = x * pitch..x * pitch + filters;
            let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
            put(best, winner, self.relu, output, winners);
        }
    }
}

/// Whether the input's gradient is a convolution: with a stride, its pixels would lie apart.
pub fn fits_input_gradient(shape: &Shape) -> bool {
    shape.stride == 1 && shape.padding.most() < shape.kernel
}

/// Overwrites the gradients of kernel and bias, from the gradient of the convolution's output before any pool. With `winners`, one
/// an output, that gradient is still to be cut off where ReLU cut the output off.
pub fn kernel_gradient(
    shape: &Shape,
    input: &[f32],
    (output, winners): (&[f32], Option<&[u8]>),
    gradient: &mut [f32],
    bias: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let padded = Padded::new(shape, input, [0, 0], buffers);
    let filters = shape.filters.next_multiple_of(GROUP);
    let window = shape.kernel * shape.run();
    let mut sums = buffers.zeros(filters * window);
    let shape = shape.padded();
    let band = rows_at_once(&shape, filters);
    let mut pixels = buffers.zeros(band * shape.output_width() * filters);
    let mut bias_of_band = buffers.floats(filters);
    let mut bias_sums = vec![0.0_f64; shape.filters];
    instructions.run(KernelGradient {
        shape,
        input: &padded,
        output,
        winners,
        band,
        pixels: &mut pixels,
        filters,
        sums: &mut sums,
        bias_of_band: &mut bias_of_band,
        bias: &mut bias_sums,
    });
    for (row, gradient) in gradient.chunks_exact_mut(shape.filters).enumerate() {
        for (group, gradient) in gradient.chunks_mut(GROUP).enumerate() {
            let at = (group * window + row) * GROUP;
            gradient.copy_from_slice(&sums[at..at + gradient.len()]);
        }
    }
    for (bias, sum) in bias.iter_mut().zip(bias_sums) {
        *bias = sum as f32;
    }
}

/// Rows of output whose pixels stay, with their part of the input, in the nearest cache of some 32 KB.
fn rows_at_once(shape: &Shape, filters: usize) -> usize {
    const FLOATS: usize = 7000;
    let row = shape.width * shape.channels * shape.stride + shape.output_width() * filters;
    (FLOATS / row).clamp(1, shape.output_height())
}

struct KernelGradient<'a> {
    /// Without padding.
    shape: Shape,
    input: &'a [f32],
    /// `[images, output height, output width, shape.filters]`
    output: &'a [f32],
    winners: Option<&'a [u8]>,
    /// Rows of output at a time.
    band: usize,
    /// The gradient that passes, of a band: `[band, output width, filters]`.
    pixels: &'a mut [f32],
    /// Filled up to whole groups.
    filters: usize,
    /// `[groups][kernel][run][GROUP]`
    sums: &'a mut [f32],
    /// `[filters]`
    bias_of_band: &'a mut [f32],
    /// `[shape.filters]`
    bias: &'a mut [f64],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let rows = self.shape.output_height();
        let window = self.shape.kernel * self.shape.run();
        for image in 0..self.shape.images {
            for first in (0..rows).step_by(self.band) {
                let steps = [self.band.min(rows - first), self.shape.output_width()];
                self.copy([image, first], steps);
                self.add_bias::<L, VECTORS>(steps);
                for group in 0..self.filters / GROUP {
                    let mut place = 0;
                    while place + ROWS <= window {
                        self.add::<L, ROWS, VECTORS>([image, first, group], place, steps);
                        place += ROWS;
                    }
                    for place in place..window {
                        self.add::<L, 1, VECTORS>([image, first, group], place, steps);
                    }
                }
            }
        }
    }
}

impl KernelGradient<'_> {
    /// Takes a band of the output's gradient.
    fn copy(&mut self, [image, first]: [usize; 2], [rows, width]: [usize; 2]) {
        let filters = self.shape.filters;
        let at = (image * self.shape.output_height() + first) * width * filters;
        let range = at..at + rows * width * filters;
        let from = &self.output[range.clone()];
        if filters == self.filters {
            copy_passing(from, self.winners.map(|winners| &winners[range]), self.pixels);
            return;
        }
        let pixels = self.pixels.chunks_exact_mut(self.filters).zip(from.chunks_exact(filters));
        for (pixel, (to, from)) in pixels.enumerate() {
            let at = at + pixel * filters;
            copy_passing(from, self.winners.map(|winners| &winners[at..at + filters]), to);
        }
    }

    /// Adds a band's gradient to the bias'.
    #[inline(always)]
    fn add_bias<L: Lanes, const V: usize>(&mut self, [rows, width]: [usize; 2]) {
        let pixels = &self.pixels[..rows * width * self.filters];
        for first in (0..self.filters).step_by(GROUP) {
            let mut sums = [L::splat(0.0); V];
            for pixel in pixels.chunks_exact(self.filters) {
                let values: [L; V] = load(pixel, first);
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = sum.add(value);
                }
            }
            store(sums, self.bias_of_band, first);
        }
        for (sum, &of_band) in self.bias.iter_mut().zip(&*self.bias_of_band) {
            *sum += f64::from(of_band);
        }
    }

    /// Adds the products of a band, for `R` places of the window and one group of filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn add<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        [image, first, group]: [usize; 3],
        place: usize,
        steps: [usize; 2],
    ) {
        let Self { shape, filters, .. } = *self;
        let pitch = shape.width * shape.channels;
        let left = Walk {
            start: (image * shape.height + first * shape.stride) * pitch,
            step: [shape.stride * pitch, shape.stride * shape.channels],
        };
        let offsets = std::array::from_fn(|r| {
            let place = place + r;
            place / shape.run() * pitch + place % shape.run()
        });
        let right = Walk { start: group * GROUP, step: [steps[1] * filters, filters] };
        let mut sums = [[L::splat(0.0); V]; R];
        tile(&mut sums, steps, (self.input, offsets, left), (self.pixels, right));
        let to = (group * shape.kernel * shape.run() + place) * GROUP;
        for (r, sums) in sums.into_iter().enumerate() {
            add_to(self.sums, to + r * GROUP, sums);
        }
    }
}

/// Copies a gradient; with `winners`, zero where there is none.
fn copy_passing(from: &[f32], winners: Option<&[u8]>, to: &mut [f32]) {
    let to = &mut to[..from.len()];
    let Some(winners) = winners else { return to.copy_from_slice(from) };
    for (to, (&value, &winner)) in to.iter_mut().zip(from.iter().zip(winners)) {
        *to = if winner == NO_WINNER { 0.0 } else { value };
    }
}
