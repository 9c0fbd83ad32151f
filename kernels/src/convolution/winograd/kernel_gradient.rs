//! F(3x3, 2x2): the kernel's gradient.

use super::{
    Grid, OfGradient, OfInput, PLACES, Tiles, ToKernel, WeightsPass, both_ways, fits, place_size,
    tiles_at_once,
};
use crate::buffers::Buffers;
use crate::convolution::{Block, Padded, Padding, Shape, add_to};
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::tile::{Left, Right, Steps, Walk, tile};

/// Overwrites `gradient` with the kernel's gradient. `output_gradient` is that of the convolution's output, before any pool.
pub fn kernel_gradient(
    shape: &Shape,
    input: &[f32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let block = Block { shape: *shape, relu: false, pool: 1 };
    assert!(fits(&block));
    let grid = Grid::of(&block);
    let padded = Padded::of_size(shape, input, grid.input_size(), buffers);
    // The gradient's tiles must be whole, too.
    let pixels = Shape {
        height: shape.output_height(),
        width: shape.output_width(),
        channels: shape.filters,
        padding: Padding::NONE,
        ..*shape
    };
    let output = Padded::of_size(&pixels, output_gradient, grid.output_size(), buffers);
    let filters = shape.filters.next_multiple_of(GROUP);
    let at_once = tiles_at_once(shape.channels + filters, shape.images * grid.tiles());
    let mut places = buffers.floats(PLACES * place_size(at_once * shape.channels));
    let mut gradient_places = buffers.zeros(PLACES * place_size(at_once * filters));
    let mut sums = buffers.zeros(PLACES * place_size(filters * shape.channels));
    instructions.run(KernelGradient {
        input: Tiles { pixels: &padded, size: padded.size, grid, channels: shape.channels },
        output: Tiles { pixels: &output, size: output.size, grid, channels: shape.filters },
        images: shape.images,
        at_once,
        input_places: &mut places,
        gradient_places: &mut gradient_places,
        sums: &mut sums,
    });
    instructions.run(UntransformGradient { shape, sums: &sums, gradient });
}

/// Computes `A' m A` of each channel and filter.
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
    input: Tiles<'a>,
    /// The tiles of the output's gradient, which do not overlap.
    output: Tiles<'a>,
    images: usize,
    /// The most tiles that are worked on at a time.
    at_once: usize,
    /// `[PLACES][at_once][channels]`
    input_places: &'a mut [f32],
    /// `[PLACES][at_once][filters, rounded up to whole groups]`
    gradient_places: &'a mut [f32],
    /// `[PLACES][groups][channels][GROUP]`
    sums: &'a mut [f32],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let all = self.images * self.input.grid.tiles();
        let channels = self.input.channels;
        let width = self.output.channels.next_multiple_of(GROUP);
        for first in (0..all).step_by(self.at_once) {
            let count = self.at_once.min(all - first);
            let tiles = first..first + count;
            self.input.transform::<L, OfInput, 4>(tiles.clone(), channels, self.input_places);
            self.output.transform::<L, OfGradient, 2>(tiles, width, self.gradient_places);
            for place in 0..PLACES {
                self.multiply::<L, ROWS, VECTORS>(place, count);
            }
        }
    }
}

impl KernelGradient<'_> {
    /// Adds the products of `count` tiles at one place, for all channels and filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn multiply<L: Lanes, const R: usize, const V: usize>(&mut self, place: usize, count: usize) {
        let channels = self.input.channels;
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
        let channels = self.input.channels;
        let width = self.output.channels.next_multiple_of(GROUP);
        let mut sums = [[L::splat(0.0); V]; R];
        let sizes = [self.input_places.len(), self.gradient_places.len(), self.sums.len()];
        let [input_size, gradient_size, sums_size] = sizes.map(|size| size / PLACES);
        let left = Left {
            values: self.input_places,
            rows: std::array::from_fn(|r| r),
            walk: Walk { start: place * input_size + channel, outer: 0, inner: channels },
        };
        let right = Right {
            values: self.gradient_places,
            walk: Walk { start: place * gradient_size + group * GROUP, outer: 0, inner: width },
        };
        tile(&mut sums, Steps { outer: 1, inner: count }, left, right);
        let to = place * sums_size + (group * channels + channel) * GROUP;
        for (r, sums) in sums.into_iter().enumerate() {
            add_to(self.sums, to + r * GROUP, sums);
        }
    }
}
