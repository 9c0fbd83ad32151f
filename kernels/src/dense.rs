//! Dense layers. With many units the vectors lie along the units; with few, they lie along the inputs.

use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{
    Left, Matrix, Right, Rows, Steps, Walk, dot, dots, tile, tile_unchecked, transpose,
};

/// A dense layer and the number of its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    pub images: usize,
    pub inputs: usize,
    pub units: usize,
    pub relu: bool,
}

/// The inputs of the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[images, inputs]`
    pub input: &'a [f32],
    /// `[inputs, units]`
    pub kernel: &'a [f32],
    /// `[units]`
    pub bias: &'a [f32],
}

/// The inputs of the backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// `[images, inputs]`
    pub input: &'a [f32],
    /// `[inputs, units]`
    pub kernel: &'a [f32],
    /// `[images, units]`; read only if there is a ReLU.
    pub output: &'a [f32],
    /// The gradient of the output, `[images, units]`.
    pub gradient: &'a [f32],
}

/// The gradients to compute; the input's is optional.
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

/// Rows of the kernel that are worked on at a time: they stay in the nearest cache.
const ROWS_AT_ONCE: usize = 256;

/// Inputs whose rows of the kernel are worked on at a time, a multiple of four.
const INPUTS_AT_ONCE: usize = 32;

/// Inputs whose columns are transposed at a time: a multiple of every machine's rows in a tile.
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
        let matrix = Matrix { rows: inputs, columns: units };
        transpose(matrix, kernel, units, &mut by_unit, inputs);
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
            // NaN passes.
            *value = if relu && *value <= 0.0 { 0.0 } else { *value };
        }
    }
}

/// Overwrites `gradients` with the layer's gradients.
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
    // Rows are padded with zeros to whole groups.
    let width = units.next_multiple_of(GROUP);
    let mut passed = buffers.zeros(images * width);
    gradients.bias.fill(0.0);
    for (image, passed) in passed.chunks_exact_mut(width).enumerate() {
        let row = image * units..(image + 1) * units;
        passed[..units].copy_from_slice(&gradient[row.clone()]);
        if relu {
            assert_eq!(output.len(), gradient.len());
            for (passed, &output) in passed.iter_mut().zip(&output[row]) {
                // A product, as in TensorFlow: a gradient of NaN stays NaN.
                *passed = if output <= 0.0 { *passed * 0.0 } else { *passed };
            }
        }
        for (sum, passed) in gradients.bias.iter_mut().zip(passed) {
            *sum += *passed;
        }
    }
    let output = OutputGradient { values: &passed, width };
    if units < FEW {
        let mut by_unit = buffers.floats(kernel.len());
        instructions.run(FewKernelGradient { dense, input, output, by_unit: &mut by_unit });
        let matrix = Matrix { rows: units, columns: inputs };
        transpose(matrix, &by_unit, inputs, gradients.kernel, units);
        if let Some(gradient) = gradients.input {
            let matrix = Matrix { rows: inputs, columns: units };
            transpose(matrix, kernel, units, &mut by_unit, inputs);
            let by_unit = &by_unit;
            instructions.run(FewInputGradient { dense, output, by_unit, gradient });
        }
        return;
    }
    let mut columns = buffers.floats(COLUMNS_AT_ONCE * images);
    instructions.run(KernelGradient {
        dense,
        input,
        columns: &mut columns,
        output,
        gradient: gradients.kernel,
    });
    if let Some(gradient) = gradients.input {
        assert_eq!(gradient.len(), input.len());
        instructions.run(InputGradient { dense, output, kernel, gradient });
    }
}

/// The gradient of the output before ReLU.
#[derive(Clone, Copy)]
struct OutputGradient<'a> {
    /// `[images, width]`
    values: &'a [f32],
    /// The units, rounded up to whole groups.
    width: usize,
}

/// Fills a group with a part and with zeros after it.
#[inline(always)]
fn copy_part(part: &[f32], to: &mut [f32]) {
    if let Ok(group) = <&[f32; GROUP]>::try_from(part) {
        // Copies of a known size need no call.
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

/// The sums of each image and unit, with vectors along the units.
struct Forward<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    kernel: &'a [f32],
    /// `[ROWS_AT_ONCE][GROUP]`: some rows of the kernel, for one group of units.
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
        let left = Left {
            values: self.input,
            rows: std::array::from_fn(|r| r * inputs),
            walk: Walk { start: image * inputs + first, outer: 0, inner: 1 },
        };
        let walk = Walk { start: 0, outer: 0, inner: GROUP };
        let right = Right { values: self.panel, walk };
        tile(&mut sums, Steps { outer: 1, inner: rows }, left, right);
        for (r, sums) in sums.into_iter().enumerate() {
            store(sums, self.sums, at + r * GROUP);
        }
    }
}

/// The kernel's gradient, with vectors along the units.
struct KernelGradient<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    /// Some columns of the input, as rows.
    columns: &'a mut [f32],
    output: OutputGradient<'a>,
    gradient: &'a mut [f32],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Dense { images, inputs, .. } = *self.dense;
        for first in (0..inputs).step_by(COLUMNS_AT_ONCE) {
            let count = COLUMNS_AT_ONCE.min(inputs - first);
            let matrix = Matrix { rows: images, columns: count };
            transpose(matrix, &self.input[first..], inputs, self.columns, images);
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
        let OutputGradient { values, width } = self.output;
        assert!((column + R) * images <= self.columns.len());
        assert!(images * width <= values.len() && units.next_multiple_of(GROUP) <= width);
        for group in 0..units.div_ceil(GROUP) {
            let mut sums = [[L::splat(0.0); V]; R];
            let left = Left {
                values: self.columns,
                rows: std::array::from_fn(|r| r * images),
                walk: Walk { start: column * images, outer: 0, inner: 1 },
            };
            let walk = Walk { start: group * GROUP, outer: 0, inner: width };
            let steps = Steps { outer: 1, inner: images };
            // SAFETY: these columns, and the group in the rows of all images, were checked.
            unsafe { tile_unchecked(&mut sums, steps, left, Right { values, walk }) };
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
    output: OutputGradient<'a>,
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
        let OutputGradient { values, width } = self.output;
        let units = self.dense.units;
        for input in whole..inputs {
            let kernel = &self.kernel[input * units..][..units];
            for image in 0..images {
                let dot = dot::<L>(&values[image * width..][..units], kernel);
                self.gradient[image * inputs + input] = dot;
            }
        }
    }
}

impl InputGradient<'_> {
    /// Writes the gradients of a range of inputs, a multiple of four, for `R` images.
    #[inline(always)]
    fn write<L: Lanes, const R: usize>(&mut self, image: usize, at: std::ops::Range<usize>) {
        let Dense { inputs, units, .. } = *self.dense;
        let OutputGradient { values, width } = self.output;
        let left = Rows { values, start: image * width, pitch: width };
        for input in at.step_by(4) {
            let right = Rows { values: self.kernel, start: input * units, pitch: units };
            let dots = dots::<L, R>(left, right, units);
            for (r, dots) in dots.into_iter().enumerate() {
                self.gradient[(image + r) * inputs + input..][..4].copy_from_slice(&dots);
            }
        }
    }
}

/// The output of few units: a dot product each.
struct FewForward<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    /// The kernel as `[units][inputs]`.
    by_unit: &'a [f32],
    output: &'a mut [f32],
}

impl Computation for FewForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        // Inputs of an image that stay in the nearest cache together with the same inputs of each unit.
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

/// The kernel's gradient for few units: sums of rows of the input, times a number each.
struct FewKernelGradient<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    output: OutputGradient<'a>,
    /// `[units][inputs]`
    by_unit: &'a mut [f32],
}

impl Computation for FewKernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        let OutputGradient { values, width } = self.output;
        let factors = Factors { values, row_step: 1, term_step: width };
        let size = Matrix { rows: units, columns: inputs };
        combine::<L, VECTORS>(size, images, factors, self.input, self.by_unit);
    }
}

/// The input's gradient for few units: sums of rows of the kernel, times a number each.
struct FewInputGradient<'a> {
    dense: &'a Dense,
    output: OutputGradient<'a>,
    /// `[units][inputs]`
    by_unit: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for FewInputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Dense { images, inputs, units, .. } = *self.dense;
        let OutputGradient { values, width } = self.output;
        let factors = Factors { values, row_step: width, term_step: 1 };
        let size = Matrix { rows: images, columns: inputs };
        combine::<L, VECTORS>(size, units, factors, self.by_unit, self.gradient);
    }
}

/// The factors of [`combine`].
#[derive(Clone, Copy)]
struct Factors<'a> {
    values: &'a [f32],
    /// Floats from the factors of one row of the result to those of the next.
    row_step: usize,
    /// Floats from the factor of one term to that of the next.
    term_step: usize,
}

/// Writes rows that are each a sum of `terms` rows of `right`, times a factor each.
///
/// # Shapes
/// - right: `[terms, size.columns]`
/// - to: `[size.rows, size.columns]`
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn combine<L: Lanes, const V: usize>(
    size: Matrix,
    terms: usize,
    factors: Factors,
    right: &[f32],
    to: &mut [f32],
) {
    const PART: usize = 512;
    let Matrix { rows, columns: length } = size;
    let whole = length - length % GROUP;
    // Rows are far apart: some whole cache lines of each row at a time.
    for part in (0..whole).step_by(PART) {
        let part = (part..whole.min(part + PART)).step_by(GROUP);
        let mut first = 0;
        while first + 2 <= rows {
            for at in part.clone() {
                combine_part::<L, 2, V>(first, terms, factors, right, length, to, at);
            }
            first += 2;
        }
        for first in first..rows {
            for at in part.clone() {
                combine_part::<L, 1, V>(first, terms, factors, right, length, to, at);
            }
        }
    }
    for at in whole..length {
        for first in 0..rows {
            combine_part::<f32, 1, 1>(first, terms, factors, right, length, to, at);
        }
    }
}

#[inline(always)]
fn combine_part<L: Lanes, const R: usize, const V: usize>(
    first: usize,
    terms: usize,
    Factors { values, row_step, term_step }: Factors,
    right: &[f32],
    length: usize,
    to: &mut [f32],
    at: usize,
) {
    let mut sums = [[L::splat(0.0); V]; R];
    let left = Left {
        values,
        rows: std::array::from_fn(|r| r * row_step),
        walk: Walk { start: first * row_step, outer: 0, inner: term_step },
    };
    let right = Right { values: right, walk: Walk { start: at, outer: 0, inner: length } };
    tile(&mut sums, Steps { outer: 1, inner: terms }, left, right);
    for (r, sums) in sums.into_iter().enumerate() {
        store(sums, to, (first + r) * length + at);
    }
}
