//! The kernel's gradient: F(3x3, 2x2).

use super::{
    OfGradient, OfInput, PLACES, Tiles, ToKernel, WeightsPass, both_ways, fits, place_size,
    tiles_at_once, tiles_of,
};
use crate::buffers::Buffers;
use crate::convolution::{Block, Padded, Padding, Shape, add_to};
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::tile::{Walk, tile};

/// Overwrites `gradient` with that of the kernel, from the gradient `output` of the convolution's output, before any pool.
pub fn kernel_gradient(
    shape: &Shape,
    [input, output]: [&[f32]; 2],
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let block = Block { shape: *shape, relu: false, pool: 1 };
    assert!(fits(&block));
    let tiles = tiles_of(&block);
    let padded = Padded::new(shape, input, tiles.map(|tiles| 2 * tiles + 2), buffers);
    // The gradient's tiles must be whole, too.
    let size = [shape.output_height(), shape.output_width()];
    let pixels = Shape {
        height: size[0],
        width: size[1],
        channels: shape.filters,
        padding: Padding::NONE,
        ..*shape
    };
    let output = Padded::new(&pixels, output, tiles.map(|tiles| 2 * tiles), buffers);
    let filters = shape.filters.next_multiple_of(GROUP);
    let at_once = tiles_at_once(shape.channels + filters, shape.images * tiles[0] * tiles[1]);
    let mut places = buffers.floats(PLACES * place_size(at_once * shape.channels));
    let mut right = buffers.zeros(PLACES * place_size(at_once * filters));
    let mut sums = buffers.zeros(PLACES * place_size(filters * shape.channels));
    instructions.run(KernelGradient {
        tiles: Tiles { input: &padded, size: padded.size(), tiles, channels: shape.channels },
        output: Tiles { input: &output, size: output.size(), tiles, channels: shape.filters },
        images: shape.images,
        at_once,
        places: &mut places,
        right: &mut right,
        sums: &mut sums,
    });
    instructions.run(UntransformGradient { shape, sums: &sums, gradient });
}

/// `A' m A` of F(3x3, 2x2), for each channel and filter.
struct UntransformGradient<'a> {
    shape: &'a Shape,
    /// `[PLACES][groups of filters][channels][GROUP]`
    sums: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for UntransformGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let shape = self.shape;
        self.all::<L>(shape);
    }
}

impl WeightsPass for UntransformGradient<'_> {
    #[inline(always)]
    fn part<L: Lanes>(&mut self, channel: usize, filter: usize) {
        let Shape { channels, filters, .. } = *self.shape;
        let place_size = self.sums.len() / PLACES;
        let from = (filter / GROUP * channels + channel) * GROUP + filter % GROUP;
        let mut places = [[L::splat(0.0); 4]; 4];
        for (place, value) in places.iter_mut().flatten().enumerate() {
            [*value] = load(self.sums, place * place_size + from);
        }
        let window: [[L; 3]; 3] = both_ways::<L, ToKernel, 4, 3>(places);
        for (place, value) in window.into_iter().flatten().enumerate() {
            store([value], self.gradient, (place * channels + channel) * filters + filter);
        }
    }
}

struct KernelGradient<'a> {
    tiles: Tiles<'a>,
    /// The tiles of the output's gradient, which do not overlap.
    output: Tiles<'a>,
    images: usize,
    at_once: usize,
    /// `[PLACES][at_once][channels]`
    places: &'a mut [f32],
    /// `[PLACES][at_once][filters, filled up]`
    right: &'a mut [f32],
    /// `[PLACES][groups][channels][GROUP]`
    sums: &'a mut [f32],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let [rows, columns] = self.tiles.tiles;
        let all = self.images * rows * columns;
        let channels = self.tiles.channels;
        let width = self.output.channels.next_multiple_of(GROUP);
        for first in (0..all).step_by(self.at_once) {
            let count = self.at_once.min(all - first);
            let range = [first, count];
            self.tiles.transform::<L, OfInput, 4>(range, channels, self.places);
            self.output.transform::<L, OfGradient, 2>(range, width, self.right);
            for place in 0..PLACES {
                self.multiply::<L, ROWS, VECTORS>(place, count);
            }
        }
    }
}

impl KernelGradient<'_> {
    /// Adds one place's products of some tiles, for all channels and filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn multiply<L: Lanes, const R: usize, const V: usize>(&mut self, place: usize, count: usize) {
        let channels = self.tiles.channels;
        for group in 0..self.output.channels.div_ceil(GROUP) {
            let mut channel = 0;
            while channel + R <= channels {
                self.add::<L, R, V>(place, group, channel, count);
                channel += R;
            }
            for channel in channel..channels {
                self.add::<L, 1, V>(place, group, channel, count);
            }
        }
    }

    #[inline(always)]
    fn add<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        place: usize,
        group: usize,
        channel: usize,
        count: usize,
    ) {
        let channels = self.tiles.channels;
        let width = self.output.channels.next_multiple_of(GROUP);
        let mut sums = [[L::splat(0.0); V]; R];
        let sizes = [self.places.len(), self.right.len(), self.sums.len()];
        let [place_size, right_size, sums_size] = sizes.map(|size| size / PLACES);
        let left = Walk { start: place * place_size + channel, step: [0, channels] };
        let right = Walk { start: place * right_size + group * GROUP, step: [0, width] };
        let offsets = std::array::from_fn(|r| r);
        tile(&mut sums, [1, count], (self.places, offsets, left), (self.right, right));
        let to = place * sums_size + (group * channels + channel) * GROUP;
        for (r, sums) in sums.into_iter().enumerate() {
            add_to(self.sums, to + r * GROUP, sums);
        }
    }
}
