//! Batch normalisation with the ReLU after it. S. Ioffe and C. Szegedy, "Batch Normalization", 2015, algorithm 1. The backward
//! pass is the chain rule of section 3; it takes both sums that it needs in one pass.

use crate::buffers::Buffers;
use crate::lanes::{Computation, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Piece, pieces};

/// A batch normalisation and the sizes of its input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// The pixels of all images; each row of a dense layer counts as a pixel.
    pub pixels: usize,
    pub channels: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// Whether mean and variance are computed from the input, so that gradients pass through them.
    pub of_batch: bool,
    pub relu: bool,
}

/// The inputs of the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[pixels, channels]`
    pub input: &'a [f32],
    /// `[channels]`
    pub gamma: &'a [f32],
    /// `[channels]`
    pub beta: &'a [f32],
    /// `[channels]`: the batch's mean, or the moving average.
    pub mean: &'a [f32],
    /// `[channels]`
    pub variance: &'a [f32],
}

/// The gradients to compute; the input's is optional.
pub struct Gradients<'a> {
    /// `[pixels, channels]`
    pub input: Option<&'a mut [f32]>,
    /// `[channels]`
    pub gamma: &'a mut [f32],
    /// `[channels]`
    pub beta: &'a mut [f32],
}

/// Pixels that are added up in f32; sums of more pixels are added up in f64.
const AT_ONCE: usize = 128;

/// The most floats of a pixel that are worked on at a time: four vectors of eight.
const WIDEST: usize = 32;

impl BatchNorm {
    /// Floats of the input.
    fn size(&self) -> usize {
        product(&[self.pixels, self.channels])
    }

    fn check(&self, inputs: &Inputs) {
        assert_eq!(inputs.input.len(), self.size());
        for of_channels in [inputs.gamma, inputs.beta, inputs.mean, inputs.variance] {
            assert_eq!(of_channels.len(), self.channels);
        }
    }

    fn inverse_deviation(&self, inputs: &Inputs, channel: usize) -> f32 {
        1.0 / (inputs.variance[channel] + self.epsilon).sqrt()
    }
}

/// Computes each channel's mean and biased variance over all pixels of the input `[pixels, channels]`.
pub fn moments(
    norm: &BatchNorm,
    input: &[f32],
    mean: &mut [f32],
    variance: &mut [f32],
    instructions: Instructions,
) {
    assert_eq!(input.len(), norm.size());
    assert!(mean.len() == norm.channels && variance.len() == norm.channels);
    instructions
        .run(Pass { channels: norm.channels, piece: Moments { norm, input, mean, variance } });
}

/// Computes the layer's output `[pixels, channels]`: `(input - mean) / sqrt(variance + epsilon) * gamma + beta`, then ReLU if there
/// is one, which lets NaN pass.
pub fn forward(
    norm: &BatchNorm,
    inputs: Inputs,
    output: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    norm.check(&inputs);
    assert_eq!(output.len(), inputs.input.len());
    let mut scale = buffers.floats(norm.channels);
    for (channel, scale) in scale.iter_mut().enumerate() {
        *scale = inputs.gamma[channel] * norm.inverse_deviation(&inputs, channel);
    }
    let piece = Forward { norm, inputs, scale: &scale, output };
    instructions.run(Pass { channels: norm.channels, piece });
}

/// Overwrites `gradients` with the layer's gradients. `gradient` is that of the output, `[pixels, channels]`.
pub fn backward(
    norm: &BatchNorm,
    inputs: Inputs,
    gradient: &[f32],
    gradients: Gradients,
    instructions: Instructions,
    buffers: &Buffers,
) {
    norm.check(&inputs);
    assert_eq!(gradient.len(), inputs.input.len());
    let Gradients { input: of_input, gamma: of_gamma, beta: of_beta } = gradients;
    assert!(of_gamma.len() == norm.channels && of_beta.len() == norm.channels);
    let [mut scale, mut from_mean, mut from_variance] =
        [(); 3].map(|()| buffers.floats(norm.channels));
    for (channel, scale) in scale.iter_mut().enumerate() {
        *scale = inputs.gamma[channel] * norm.inverse_deviation(&inputs, channel);
    }
    let terms = ProductsAndGradients { norm, inputs, scale: &scale, gradient };
    let piece = Sums { terms, products: of_gamma, gradients: of_beta };
    instructions.run(Pass { channels: norm.channels, piece });
    for channel in 0..norm.channels {
        let inverse = norm.inverse_deviation(&inputs, channel);
        of_gamma[channel] *= inverse;
        // The input's gradient is reduced by the gradients of mean and variance, which depend on the input.
        let share = if norm.of_batch { 1.0 / norm.pixels as f32 } else { 0.0 };
        from_mean[channel] = of_beta[channel] * share;
        from_variance[channel] = of_gamma[channel] * inverse * share;
    }
    if let Some(of_input) = of_input {
        assert_eq!(of_input.len(), gradient.len());
        let piece = InputGradient {
            norm,
            inputs,
            scale: &scale,
            gradient,
            from_mean: &from_mean,
            from_variance: &from_variance,
            of_input,
        };
        instructions.run(Pass { channels: norm.channels, piece });
    }
}

/// A pass over the channels of all pixels, part by part.
struct Pass<P> {
    channels: usize,
    piece: P,
}

impl<P: Piece> Computation for Pass<P> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        pieces::<L, 4>(self.channels, &mut self.piece);
    }
}

/// Terms to add up over all pixels: `N` terms per float of the input.
trait Terms<const N: usize> {
    /// The terms of the `V` vectors of the input from `at` on, whose channels are those from `channel` on.
    fn terms<L: Lanes, const V: usize>(&self, at: usize, channel: usize) -> [[L; V]; N];
}

/// Adds up the terms of all pixels: in f32 up to [`AT_ONCE`] pixels, then in f64.
#[inline(always)]
fn add_up<L: Lanes, const V: usize, const N: usize>(
    terms: &impl Terms<N>,
    norm: &BatchNorm,
    channel: usize,
) -> [[f64; WIDEST]; N] {
    let mut totals = [[0.0_f64; WIDEST]; N];
    for first in (0..norm.pixels).step_by(AT_ONCE) {
        let mut sums = [[L::splat(0.0); V]; N];
        for pixel in first..norm.pixels.min(first + AT_ONCE) {
            let terms: [[L; V]; N] = terms.terms(pixel * norm.channels + channel, channel);
            for (sums, terms) in sums.iter_mut().zip(terms) {
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum = sum.add(term);
                }
            }
        }
        for (totals, sums) in totals.iter_mut().zip(sums) {
            let mut lanes = [0.0; WIDEST];
            store(sums, &mut lanes, 0);
            for (total, lane) in totals.iter_mut().zip(lanes) {
                *total += f64::from(lane);
            }
        }
    }
    totals
}

/// The input's values.
struct Values<'a>(&'a [f32]);

impl Terms<1> for Values<'_> {
    #[inline(always)]
    fn terms<L: Lanes, const V: usize>(&self, at: usize, _channel: usize) -> [[L; V]; 1] {
        [load(self.0, at)]
    }
}

/// The squares of the input minus the mean.
struct Squares<'a> {
    input: &'a [f32],
    mean: &'a [f32],
}

impl Terms<1> for Squares<'_> {
    #[inline(always)]
    fn terms<L: Lanes, const V: usize>(&self, at: usize, channel: usize) -> [[L; V]; 1] {
        let centred: [L; V] = centred(self.input, self.mean, at, channel);
        let mut squares = centred;
        for square in &mut squares {
            *square = square.mul(*square);
        }
        [squares]
    }
}

/// The input minus the mean.
#[inline(always)]
fn centred<L: Lanes, const V: usize>(
    input: &[f32],
    mean: &[f32],
    at: usize,
    channel: usize,
) -> [L; V] {
    let mut values: [L; V] = load(input, at);
    let mean: [L; V] = load(mean, channel);
    for (value, mean) in values.iter_mut().zip(mean) {
        *value = value.sub(mean);
    }
    values
}

struct Moments<'a> {
    norm: &'a BatchNorm,
    input: &'a [f32],
    mean: &'a mut [f32],
    variance: &'a mut [f32],
}

impl Piece for Moments<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let count = self.norm.pixels as f64;
        let [sums] = add_up::<L, V, 1>(&Values(self.input), self.norm, at);
        for (mean, sum) in self.mean[at..][..V * L::COUNT].iter_mut().zip(sums) {
            *mean = (sum / count) as f32;
        }
        let squares = Squares { input: self.input, mean: self.mean };
        let [sums] = add_up::<L, V, 1>(&squares, self.norm, at);
        for (variance, sum) in self.variance[at..][..V * L::COUNT].iter_mut().zip(sums) {
            *variance = (sum / count) as f32;
        }
    }
}

/// The layer's parameters of the `V` vectors from a channel on.
#[derive(Clone, Copy)]
struct Vectors<L, const V: usize> {
    mean: [L; V],
    scale: [L; V],
    beta: [L; V],
}

impl<L: Lanes, const V: usize> Vectors<L, V> {
    #[inline(always)]
    fn load(inputs: &Inputs, scale: &[f32], channel: usize) -> Self {
        let (mean, beta) = (load(inputs.mean, channel), load(inputs.beta, channel));
        Self { mean, scale: load(scale, channel), beta }
    }

    /// The output before ReLU. Forward and backward compute the same bits, so that ReLU cuts off the same values in both.
    #[inline(always)]
    fn normalised(&self, v: usize, value: L) -> L {
        self.beta[v].add_product(value.sub(self.mean[v]), self.scale[v])
    }
}

struct Forward<'a> {
    norm: &'a BatchNorm,
    inputs: Inputs<'a>,
    scale: &'a [f32],
    output: &'a mut [f32],
}

impl Piece for Forward<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let zero = L::splat(0.0);
        let vectors = Vectors::<L, V>::load(&self.inputs, self.scale, at);
        for pixel in 0..self.norm.pixels {
            let at = pixel * self.norm.channels + at;
            let mut values: [L; V] = load(self.inputs.input, at);
            for (v, value) in values.iter_mut().enumerate() {
                *value = vectors.normalised(v, *value);
                if self.norm.relu {
                    *value = value.where_cut(zero, *value);
                }
            }
            store(values, self.output, at);
        }
    }
}

/// The gradient that passes ReLU. A product, as in TensorFlow: a gradient of NaN stays NaN.
#[inline(always)]
fn passing<L: Lanes>(relu: bool, normalised: L, gradient: L) -> L {
    if relu { normalised.where_cut(gradient.mul(L::splat(0.0)), gradient) } else { gradient }
}

/// Products of the gradient with the centred input, and the gradient itself.
struct ProductsAndGradients<'a> {
    norm: &'a BatchNorm,
    inputs: Inputs<'a>,
    scale: &'a [f32],
    gradient: &'a [f32],
}

impl Terms<2> for ProductsAndGradients<'_> {
    #[inline(always)]
    fn terms<L: Lanes, const V: usize>(&self, at: usize, channel: usize) -> [[L; V]; 2] {
        let vectors = Vectors::<L, V>::load(&self.inputs, self.scale, channel);
        let values: [L; V] = load(self.inputs.input, at);
        let mut gradients: [L; V] = load(self.gradient, at);
        let mut products = values;
        for (v, value) in values.into_iter().enumerate() {
            let normalised = vectors.normalised(v, value);
            gradients[v] = passing(self.norm.relu, normalised, gradients[v]);
            products[v] = gradients[v].mul(value.sub(vectors.mean[v]));
        }
        [products, gradients]
    }
}

struct Sums<'a> {
    terms: ProductsAndGradients<'a>,
    products: &'a mut [f32],
    gradients: &'a mut [f32],
}

impl Piece for Sums<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let [products, gradients] = add_up::<L, V, 2>(&self.terms, self.terms.norm, at);
        for (to, sum) in self.products[at..][..V * L::COUNT].iter_mut().zip(products) {
            *to = sum as f32;
        }
        for (to, sum) in self.gradients[at..][..V * L::COUNT].iter_mut().zip(gradients) {
            *to = sum as f32;
        }
    }
}

struct InputGradient<'a> {
    norm: &'a BatchNorm,
    inputs: Inputs<'a>,
    scale: &'a [f32],
    gradient: &'a [f32],
    /// The part of each channel's gradient that passes through the mean, to subtract.
    from_mean: &'a [f32],
    /// The part that passes through the variance, to subtract once per unit of the input minus the mean.
    from_variance: &'a [f32],
    of_input: &'a mut [f32],
}

impl Piece for InputGradient<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let vectors = Vectors::<L, V>::load(&self.inputs, self.scale, at);
        let from_mean: [L; V] = load(self.from_mean, at);
        let from_variance: [L; V] = load(self.from_variance, at);
        for pixel in 0..self.norm.pixels {
            let at = pixel * self.norm.channels + at;
            let values: [L; V] = load(self.inputs.input, at);
            let mut gradients: [L; V] = load(self.gradient, at);
            for (v, value) in values.into_iter().enumerate() {
                let passed = passing(self.norm.relu, vectors.normalised(v, value), gradients[v]);
                let lost = value.sub(vectors.mean[v]).mul(from_variance[v]);
                gradients[v] = passed.sub(from_mean[v]).sub(lost).mul(vectors.scale[v]);
            }
            store(gradients, self.of_input, at);
        }
    }
}
