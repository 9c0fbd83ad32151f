//! Dense layers. With many units the vectors lie along the units; with few, they lie along the inputs.

use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Walk, dot, dots, tile, tile_unchecked, transpose};

/// A dense layer and the number of images that it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    pub images: usize,
    pub inputs: usize,
    pub units: usize,
    pub relu: bool,
}

/// What the layer's output is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[images, inputs]`
    pub input: &'a [f32],
    /// `[inputs, units]`
    pub kernel: &'a [f32],
    /// `[units]`
    pub bias: &'a [f32],
}

/// What the layer's gradients are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// `[images, inputs]`
    pub input: &'a [f32],
    /// `[inputs, units]`
    pub kernel: &'a [f32],
    /// `[images, units]`; read where there is a ReLU.
    pub output: &'a [f32],
    /// The gradient of the output, `[images, units]`.
    pub gradient: &'a [f32],
}

/// Where the gradients go; the input's only where it is wanted.
pub struct Gradients<'a> {
    /// `[images, inputs]`
    pub input: Option<&'a mut [f32]>,
    /// `[inputs, units]`
    pub kernel: &'a mut [f32],
    /// `[units]`
    pub bias: &'a mut [f32],
}

/// With fewer units than this, most of a vector along the units would be empty.
const FEW: usize = 8;

/// Rows of the kernel that are worked on while they stay in the nearest cache.
const ROWS_AT_ONCE: usize = 256;

/// Inputs whose rows of the kernel are worked on at a time, a multiple of four.
const INPUTS_AT_ONCE: usize = 32;

/// Inputs whose columns are written as rows at a time: a multiple of every machine's rows in a tile.
const COLUMNS_AT_ONCE: usize = 48;

/// Computes the layer's output `[images, units]`.
pub fn forward(
    dense: &Dense,
    Inputs { input, kernel, bias }: Inputs,
    output: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let Dense { images, inputs, units, relu } = *dense;
    assert_eq!(input.len(), product(&[images, inputs]));
    assert_eq!(kernel.len(), product(&[inputs, units]));
    assert_eq!(bias.len(), units);
    assert_eq!(output.len(), product(&[images, units]));
    if units < FEW {
        let mut by_unit = buffers.floats(kernel.len());
        transpose(kernel, units, [inputs, units], &mut by_unit, inputs);
        instructions.run(FewForward { dense, input, by_unit: &by_unit, output });
    } else {
        let mut panel = buffers.floats(ROWS_AT_ONCE * GROUP);
        let mut sums = buffers.zeros(units.div_ceil(GROUP) * images * GROUP);
        instructions.run(Forward { dense, input, kernel, panel: &mut panel, sums: &mut sums });
        let rows = output.chunks_exact_mut(units).enumerate();
        rows.for_each(|(image, output)| {
            for (group, output) in output.chunks_mut(GROUP).enumerate() {
                let at = (group * images + image) * GROUP;
                output.copy_from_slice(&sums[at..at + output.len()]);
            }
        });
    }
    for output in output.chunks_exact_mut(units) {
        for (value, bias) in output.iter_mut().zip(bias) {
            *value += bias;
            // What is not a number passes.
            *value = if relu && *value <= 0.0 { 0.0 } else { *value };
        }
    }
}

/// Overwrites `gradients` with those of the layer.
pub fn backward(
    dense: &Dense,
    Known { input, kernel, output, gradient }: Known,
    gradients: Gradients,
    instructions: Instructions,
    buffers: &Buffers,
) {
    let Dense { images, inputs, units, relu } = *dense;
    assert_eq!(input.len(), product(&[images, inputs]));
    assert_eq!(kernel.len(), product(&[inputs, units]));
    assert_eq!(gradient.len(), product(&[images, units]));
    assert_eq!(gradients.kernel.len(), kernel.len());
    assert_eq!(gradients.bias.len(), units);
    // Rows filled up to whole groups.
    let width = units.next_multiple_of(GROUP);
    let mut passed = buffers.zeros(images * width);
    gradients.bias.fill(0.0);
    for (image, passed) in passed.chunks_exact_mut(width).enumerate() {
        let row = image * units..(image + 1) * units;
        passed[..units].copy_from_slice(&gradient[row.clone()]);
        if relu {
            assert_eq!(output.len(), gradient.len());
            for (passed, &output) in passed.iter_mut().zip(&output[row]) {
                // A product, as in TensorFlow: a gradient that is not a number stays so.
                *passed = if output <= 0.0 { *passed * 0.0 } else { *passed };
            }
        }
        for (sum, passed) in gradients.bias.iter_mut().zip(passed) {
            *sum += *passed;
        }
    }
    let gradient = &passed[..];
    if units < FEW {
        let mut by_unit = buffers.floats(kernel.len());
        let left = (gradient, width);
        instructions.run(FewKernelGradient { dense, input, left, by_unit: &mut by_unit });
        transpose(&by_unit, inputs, [units, inputs], gradients.kernel, units);
        if let Some(input_gradient) = gradients.input {
            transpose(kernel, units, [inputs, units], &mut by_unit, inputs);
            let by_unit = &by_unit;
            instructions.run(FewInputGradient { dense, left, by_unit, gradient: input_gradient });
        }
        return;
    }
    let mut columns = buffers.floats(COLUMNS_AT_ONCE * images);
    instructions.run(KernelGradient {
        dense,
        input,
        columns: &mut columns,
        right: (gradient, width),
        gradient: gradients.kernel,
    });
    if let Some(input_gradient) = gradients.input {
        assert_eq!(input_gradient.len(), input.len());
        let left = (gradient, width);
        instructions.run(InputGradient { dense, left, kernel, gradient: input_gradient });
    }
}

/// Fills a group with a part and with zeros behind it.
#[inline(always)]
fn copy_part(part: &[f32], to: &mut [f32]) {
    if let Ok(group) = <&[f32; GROUP]>::try_from(part) {
        // A size that is known is copied without a call.
        return to.copy_from_slice(group);
    }
    let (values, rest) = to.split_at_mut(part.len());
    values.copy_from_slice(part);
    rest.fill(0.0);
}

/// Stores the first `count` floats of a group.
#[inline(always)]
fn store_part<L: Lanes, const V: usize>(vectors: [L; V], to: &mut [f32], at: usize, count: usize) {
    if count == V * L::COUNT {
        return store(vectors, to, at);
    }
    let mut values = [0.0; GROUP];
    store(vectors, &mut values, 0);
    to[at..at + count].copy_from_slice(&values[..count]);
}

/// Sums for each image and unit, with vectors along the units.
struct Forward<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    kernel: &'a [f32],
    /// Some rows of the kernel for one group of units.
    panel: &'a mut [f32],
    /// `[groups][images][GROUP]`
    sums: &'a mut [f32],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        for first in (0..inputs).step_by(ROWS_AT_ONCE) {
            let rows = ROWS_AT_ONCE.min(inputs - first);
            for group in 0..units.div_ceil(GROUP) {
                let count = GROUP.min(units - group * GROUP);
                let kernel = self.kernel[first * units..].chunks_exact(units);
                let rows_of_group = kernel.take(rows).map(|row| &row[group * GROUP..][..count]);
                for (to, row) in self.panel.chunks_exact_mut(GROUP).zip(rows_of_group) {
                    copy_part(row, to);
                }
                let mut image = 0;
                while image + ROWS <= images {
                    self.add::<L, ROWS, VECTORS>(group, image, first, rows);
                    image += ROWS;
                }
                for image in image..images {
                    self.add::<L, 1, VECTORS>(group, image, first, rows);
                }
            }
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn add<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        group: usize,
        image: usize,
        first: usize,
        rows: usize,
    ) {
        let Dense { images, inputs, .. } = *self.dense;
        let at = (group * images + image) * GROUP;
        let mut sums: [[L; V]; R] = std::array::from_fn(|r| load(self.sums, at + r * GROUP));
        let left = Walk { start: image * inputs + first, step: [0, 1] };
        let right = Walk { start: 0, step: [0, GROUP] };
        let offsets = std::array::from_fn(|r| r * inputs);
        tile(&mut sums, [1, rows], (self.input, offsets, left), (self.panel, right));
        for (r, sums) in sums.into_iter().enumerate() {
            store(sums, self.sums, at + r * GROUP);
        }
    }
}

/// The kernel's gradient with vectors along the units.
struct KernelGradient<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    /// Some columns of the input, as rows.
    columns: &'a mut [f32],
    /// The output's gradient and the width of its rows.
    right: (&'a [f32], usize),
    gradient: &'a mut [f32],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Dense { images, inputs, .. } = *self.dense;
        for first in (0..inputs).step_by(COLUMNS_AT_ONCE) {
            let count = COLUMNS_AT_ONCE.min(inputs - first);
            transpose(&self.input[first..], inputs, [images, count], self.columns, images);
            let mut column = 0;
            while column + ROWS <= count {
                self.write::<L, ROWS, VECTORS>(first, column);
                column += ROWS;
            }
            for column in column..count {
                self.write::<L, 1, VECTORS>(first, column);
            }
        }
    }
}

impl KernelGradient<'_> {
    #[inline(always)]
    fn write<L: Lanes, const R: usize, const V: usize>(&mut self, first: usize, column: usize) {
        let Dense { images, units, .. } = *self.dense;
        let (right, width) = self.right;
        assert!((column + R) * images <= self.columns.len());
        assert!(images * width <= right.len() && units.next_multiple_of(GROUP) <= width);
        for group in 0..units.div_ceil(GROUP) {
            let mut sums = [[L::splat(0.0); V]; R];
            let left = Walk { start: column * images, step: [0, 1] };
            let offsets = std::array::from_fn(|r| r * images);
            let walk = Walk { start: group * GROUP, step: [0, width] };
            // SAFETY: so many columns of all images, and the group in the rows of all images, were checked.
            unsafe {
                let left = (&*self.columns, offsets, left);
                tile_unchecked(&mut sums, [1, images], left, (right, walk));
            }
            let count = GROUP.min(units - group * GROUP);
            for (r, sums) in sums.into_iter().enumerate() {
                let at = (first + column + r) * units + group * GROUP;
                store_part(sums, self.gradient, at, count);
            }
        }
    }
}

/// The input's gradient: rows of the output's gradient times rows of the kernel.
struct InputGradient<'a> {
    dense: &'a Dense,
    /// The output's gradient and the width of its rows.
    left: (&'a [f32], usize),
    kernel: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Dense { images, inputs, .. } = *self.dense;
        let whole = inputs - inputs % 4;
        // Some rows of the kernel stay in the nearest cache while all images go over them.
        for first in (0..whole).step_by(INPUTS_AT_ONCE) {
            let end = whole.min(first + INPUTS_AT_ONCE);
            let mut image = 0;
            while image + 2 <= images {
                self.write::<L, 2>(image, first..end);
                image += 2;
            }
            for image in image..images {
                self.write::<L, 1>(image, first..end);
            }
        }
        let (left, width) = self.left;
        let units = self.dense.units;
        for input in whole..inputs {
            let kernel = &self.kernel[input * units..][..units];
            for image in 0..images {
                let dot = dot::<L>(&left[image * width..][..units], kernel);
                self.gradient[image * inputs + input] = dot;
            }
        }
    }
}

impl InputGradient<'_> {
    /// A multiple of four inputs.
    #[inline(always)]
    fn write<L: Lanes, const R: usize>(&mut self, image: usize, at: std::ops::Range<usize>) {
        let Dense { inputs, units, .. } = *self.dense;
        let (left, width) = self.left;
        for input in at.step_by(4) {
            let right = (self.kernel, input * units);
            let dots = dots::<L, R>((left, image * width), right, [width, units], units);
            for (r, dots) in dots.into_iter().enumerate() {
                self.gradient[(image + r) * inputs + input..][..4].copy_from_slice(&dots);
            }
        }
    }
}

/// Output for few units: a dot product each.
struct FewForward<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    /// The kernel, `[units][inputs]`.
    by_unit: &'a [f32],
    output: &'a mut [f32],
}

impl Computation for FewForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        // As much of an image as stays in the nearest cache beside as much of each unit.
        const AT_ONCE: usize = 1024;
        self.output.fill(0.0);
        for first in (0..inputs).step_by(AT_ONCE) {
            let count = AT_ONCE.min(inputs - first);
            for image in 0..images {
                for unit in 0..units {
                    let left = &self.input[image * inputs + first..][..count];
                    let right = &self.by_unit[unit * inputs + first..][..count];
                    self.output[image * units + unit] += dot::<L>(left, right);
                }
            }
        }
    }
}

/// Gradients for few units: rows of the input, or of the kernel, times a number each.
struct FewKernelGradient<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    left: (&'a [f32], usize),
    /// `[units][inputs]`
    by_unit: &'a mut [f32],
}

impl Computation for FewKernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        let (left, width) = self.left;
        let left = (left, Walk { start: 0, step: [0, width] }, 1);
        combine::<L, VECTORS>(units, images, left, self.input, inputs, self.by_unit);
    }
}

struct FewInputGradient<'a> {
    dense: &'a Dense,
    left: (&'a [f32], usize),
    /// `[units][inputs]`
    by_unit: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for FewInputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        let (left, width) = self.left;
        let left = (left, Walk { start: 0, step: [0, 1] }, width);
        combine::<L, VECTORS>(images, units, left, self.by_unit, inputs, self.gradient);
    }
}

/// Writes `rows` rows, each the sum of `terms` rows of `right` times the numbers where `left` walks, which is `row` further
/// for each next row.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn combine<L: Lanes, const V: usize>(
    rows: usize,
    terms: usize,
    (left, walk, row): (&[f32], Walk, usize),
    right: &[f32],
    length: usize,
    to: &mut [f32],
) {
    const PART: usize = 512;
    let whole = length - length % GROUP;
    // Rows are far apart: of each, some whole lines of the cache at a time.
    for part in (0..whole).step_by(PART) {
        let part = (part..whole.min(part + PART)).step_by(GROUP);
        let mut first = 0;
        while first + 2 <= rows {
            for at in part.clone() {
                combine_part::<L, 2, V>(first, terms, (left, walk, row), right, length, to, at);
            }
            first += 2;
        }
        for first in first..rows {
            for at in part.clone() {
                combine_part::<L, 1, V>(first, terms, (left, walk, row), right, length, to, at);
            }
        }
    }
    for at in whole..length {
        for first in 0..rows {
            combine_part::<f32, 1, 1>(first, terms, (left, walk, row), right, length, to, at);
        }
    }
}

#[inline(always)]
fn combine_part<L: Lanes, const R: usize, const V: usize>(
    first: usize,
    terms: usize,
    (left, walk, row): (&[f32], Walk, usize),
    right: &[f32],
    length: usize,
    to: &mut [f32],
    at: usize,
) {
    let mut sums = [[L::splat(0.0); V]; R];
    let walk = Walk { start: walk.start + first * row, ..walk };
    let offsets = std::array::from_fn(|r| r * row);
    let right_walk = Walk { start: at, step: [0, length] };
    tile(&mut sums, [1, terms], (left, offsets, walk), (right, right_walk));
    for (r, sums) in sums.into_iter().enumerate() {
        store(sums, to, (first + r) * length + at);
    }
}
