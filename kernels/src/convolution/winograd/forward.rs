//! F(2x2, 3x3): the forward pass, and the input's gradient, which is a convolution, too.

use super::{
    Grid, OfInput, OfKernel, PLACES, Position, Tiles, ToPixels, WeightsPass, both_ways, fits,
    place_size, tiles_at_once,
};
use crate::buffers::Buffers;
use crate::convolution::{Block, Inputs, Padded, Shape, compare, put};
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::tile::{Left, Right, Steps, Walk, tile_unchecked};

/// See [`crate::convolution::forward`].
pub fn forward(
    block: &Block,
    Inputs { input, kernel, bias }: Inputs,
    output: &mut [f32],
    winners: &mut [u8],
    instructions: Instructions,
    buffers: &Buffers,
) {
    assert!(fits(block));
    let shape = block.shape;
    let grid = Grid::of(block);
    let padded = Padded::of_size(&shape, input, grid.input_size(), buffers);
    let filters = shape.filters.next_multiple_of(GROUP);
    let mut transformed = buffers.zeros(PLACES * place_size(shape.channels * filters));
    instructions.run(TransformKernel { shape: &shape, kernel, transformed: &mut transformed });
    let mut filled_bias = buffers.zeros(filters);
    filled_bias[..shape.filters].copy_from_slice(bias);
    let at_once = tiles_at_once(shape.channels + GROUP, shape.images * grid.tiles());
    let mut places = buffers.floats(PLACES * place_size(at_once * shape.channels));
    let mut products = buffers.floats(PLACES * place_size(at_once * GROUP));
    instructions.run(Forward {
        block,
        tiles: Tiles { pixels: &padded, size: padded.size, grid, channels: shape.channels },
        at_once,
        kernel: &transformed,
        bias: &filled_bias,
        places: &mut places,
        products: &mut products,
        output,
        winners,
    });
}

/// Computes `G g G'` of each channel and filter.
struct TransformKernel<'a> {
    shape: &'a Shape,
    kernel: &'a [f32],
    /// `[PLACES][groups of filters][channels][GROUP]`
    transformed: &'a mut [f32],
}

impl Computation for TransformKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let shape = self.shape;
        self.all::<L>(shape);
    }
}

impl WeightsPass for TransformKernel<'_> {
    #[inline(always)]
    fn part<L: Lanes>(&mut self, channel: usize, filter: usize) {
        let Shape { channels, filters, .. } = *self.shape;
        let mut window = [[L::splat(0.0); 3]; 3];
        for (place, value) in window.iter_mut().flatten().enumerate() {
            [*value] = load(self.kernel, (place * channels + channel) * filters + filter);
        }
        let places: [[L; 4]; 4] = both_ways::<L, OfKernel, 3, 4>(window);
        let place_size = self.transformed.len() / PLACES;
        let to = (filter / GROUP * channels + channel) * GROUP + filter % GROUP;
        for (place, value) in places.into_iter().flatten().enumerate() {
            store([value], self.transformed, place * place_size + to);
        }
    }
}

struct Forward<'a> {
    block: &'a Block,
    tiles: Tiles<'a>,
    /// The most tiles that are worked on at a time.
    at_once: usize,
    /// `[PLACES][groups][channels][GROUP]`
    kernel: &'a [f32],
    /// `[groups][GROUP]`
    bias: &'a [f32],
    /// `[PLACES][at_once][channels]`
    places: &'a mut [f32],
    /// The products of one group of filters: `[PLACES][at_once][GROUP]`.
    products: &'a mut [f32],
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Block { shape, .. } = *self.block;
        let all = shape.images * self.tiles.grid.tiles();
        for first in (0..all).step_by(self.at_once) {
            let count = self.at_once.min(all - first);
            let tiles = first..first + count;
            self.tiles.transform::<L, OfInput, 4>(tiles, shape.channels, self.places);
            for group in 0..shape.filters.div_ceil(GROUP) {
                self.multiply::<L, ROWS, VECTORS>(group, count);
                self.write_all::<L, VECTORS>(group, first, count);
            }
        }
    }
}

impl Forward<'_> {
    /// Computes the products of all places for one group of filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn multiply<L: Lanes, const R: usize, const V: usize>(&mut self, group: usize, count: usize) {
        let channels = self.tiles.channels;
        let sizes = [self.places.len(), self.kernel.len(), self.products.len()];
        let [place_size, kernel_size, products_size] = sizes.map(|size| size / PLACES);
        // Tiles after the last one are computed, too, and never read.
        assert!(self.at_once.is_multiple_of(R) && count <= self.at_once);
        assert!(self.at_once * channels <= place_size && self.at_once * GROUP <= products_size);
        assert!((group + 1) * channels * GROUP <= kernel_size);
        for place in 0..PLACES {
            let start = place * kernel_size + group * channels * GROUP;
            let walk = Walk { start, outer: 0, inner: GROUP };
            let right = Right { values: self.kernel, walk };
            for tile in (0..count).step_by(R) {
                let left = Left {
                    values: self.places,
                    rows: std::array::from_fn(|r| r * channels),
                    walk: Walk { start: place * place_size + tile * channels, outer: 0, inner: 1 },
                };
                let mut sums = [[L::splat(0.0); V]; R];
                // SAFETY: each place has these tiles, and the kernel a whole group.
                unsafe {
                    let steps = Steps { outer: 1, inner: channels };
                    tile_unchecked(&mut sums, steps, left, right);
                    let to = place * products_size + tile * GROUP;
                    let to = self.products.as_mut_ptr().add(to);
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            sum.store(to.add(r * GROUP + v * L::COUNT));
                        }
                    }
                }
            }
        }
    }

    /// Writes the output pixels of all tiles.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn write_all<L: Lanes, const V: usize>(&mut self, group: usize, first: usize, count: usize) {
        for tile in 0..count {
            self.write::<L, V>(group, tile, self.tiles.position(first + tile));
        }
    }

    /// Writes the four output pixels of one tile, or the winner among them if there is a pool.
    #[inline(always)]
    fn write<L: Lanes, const V: usize>(
        &mut self,
        group: usize,
        tile: usize,
        Position { image, row, column }: Position,
    ) {
        let Block { shape, relu, pool } = *self.block;
        let filters = group * GROUP..shape.filters.min((group + 1) * GROUP);
        let bias: [L; V] = load(self.bias, group * GROUP);
        let mut pixels = [[L::splat(0.0); V]; 4];
        let products_size = self.products.len() / PLACES;
        assert!((tile + 1) * GROUP <= products_size);
        for (v, bias) in bias.into_iter().enumerate() {
            let mut places = [[L::splat(0.0); 4]; 4];
            for (place, value) in places.iter_mut().flatten().enumerate() {
                let at = place * products_size + tile * GROUP + v * L::COUNT;
                // SAFETY: each place has a group for this tile, as was checked.
                *value = unsafe { L::load(self.products.as_ptr().add(at)) };
            }
            let values: [[L; 2]; 2] = both_ways::<L, ToPixels, 4, 2>(places);
            for (place, value) in values.into_iter().flatten().enumerate() {
                pixels[place][v] = value.add(bias);
            }
        }
        let (height, width) = (self.block.output_height(), self.block.output_width());
        let first = [L::splat(f32::from_bits(0)); V];
        if pool == 2 {
            let (mut best, mut winner) = (pixels[0], first);
            for (place, pixel) in pixels.into_iter().enumerate().skip(1) {
                compare(&mut best, &mut winner, pixel, place);
            }
            let at = ((image * height + row) * width + column) * shape.filters;
            let range = at + filters.start..at + filters.end;
            let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
            return put(best, winner, relu, output, winners);
        }
        for (place, pixel) in pixels.into_iter().enumerate() {
            let (row, column) = (2 * row + place / 2, 2 * column + place % 2);
            if row < height && column < width {
                let at = ((image * height + row) * width + column) * shape.filters;
                let range = at + filters.start..at + filters.end;
                let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
                put(pixel, first, relu, output, winners);
            }
        }
    }
}
