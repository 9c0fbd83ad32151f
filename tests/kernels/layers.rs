//! Compares batch normalisation, max-pool, dropout and locally connected layers with their definitions in f64, with all
//! instructions.

use overfit_lab::kernels::batch_norm::{self, BatchNorm};
use overfit_lab::kernels::dropout::Dropout;
use overfit_lab::kernels::locally_connected::{self, LocallyConnected};
use overfit_lab::kernels::max_pool::{self, Axis, MaxPool};
use overfit_lab::kernels::normal;
use overfit_lab::kernels::random::Stream;
use overfit_lab::seeding::normal_pair;

use super::*;

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn cases(native: u32) -> u32 {
    if cfg!(target_arch = "wasm32") { native / 4 } else { native }
}

/// A batch normalisation with its inputs, parameters and output gradient.
#[derive(Clone, Debug)]
struct NormCase {
    norm: BatchNorm,
    input: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    gradient: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
}

impl NormCase {
    fn new(norm: BatchNorm, seed: u64) -> Self {
        let BatchNorm { pixels, channels, .. } = norm;
        let variance = numbers(channels, seed + 5).iter().map(|value| value * value).collect();
        Self {
            norm,
            // Far from zero, where a variance computed as a difference of squares would lose digits.
            input: numbers(pixels * channels, seed).iter().map(|value| value + 3.0).collect(),
            gamma: numbers(channels, seed + 1),
            beta: numbers(channels, seed + 2),
            gradient: numbers(pixels * channels, seed + 3),
            mean: numbers(channels, seed + 4),
            variance,
        }
    }

    fn inputs<'a>(&'a self, mean: &'a [f32], variance: &'a [f32]) -> batch_norm::Inputs<'a> {
        let Self { input, gamma, beta, .. } = self;
        batch_norm::Inputs { input, gamma, beta, mean, variance }
    }

    /// The layer's output in f64, from these inputs and parameters.
    fn by_definition(&self, input: &[f64], gamma: &[f64], beta: &[f64]) -> NormOutput {
        let BatchNorm { pixels, channels, epsilon, of_batch, relu } = self.norm;
        let count = pixels as f64;
        let each = |channel: usize| input.iter().skip(channel).step_by(channels);
        let (mut mean, mut variance) = (double(&self.mean), double(&self.variance));
        if of_batch {
            for channel in 0..channels {
                mean[channel] = each(channel).sum::<f64>() / count;
                let squares = each(channel).map(|value| (value - mean[channel]).powi(2));
                variance[channel] = squares.sum::<f64>() / count;
            }
        }
        let normalised = input.iter().enumerate().map(|(at, value)| {
            let channel = at % channels;
            let deviation = (variance[channel] + f64::from(epsilon)).sqrt();
            (value - mean[channel]) / deviation * gamma[channel] + beta[channel]
        });
        let normalised: Vec<f64> = normalised.collect();
        let cut = |value: &f64| if relu { value.max(0.0) } else { *value };
        NormOutput { output: normalised.iter().map(cut).collect(), mean, variance }
    }
}

struct NormOutput {
    output: Vec<f64>,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// Compares with the definition and, backward, with the chain rule, a term at a time.
fn batch_norm_is_right(case: &NormCase) {
    let BatchNorm { pixels, channels, epsilon, of_batch, relu } = case.norm;
    let (input, gamma, beta) = (double(&case.input), double(&case.gamma), double(&case.beta));
    let expected = case.by_definition(&input, &gamma, &beta);
    for &instructions in Instructions::all() {
        let what = |part: &str| format!("{part} of {:?} in {instructions:?}", case.norm);
        let buffers = Buffers::default();
        let (mut mean, mut variance) = (case.mean.clone(), case.variance.clone());
        if of_batch {
            batch_norm::moments(&case.norm, &case.input, &mut mean, &mut variance, instructions);
        }
        assert_close(&what("mean"), &mean, &expected.mean);
        if pixels > 1 {
            assert_close(&what("variance"), &variance, &expected.variance);
        }
        let inputs = case.inputs(&mean, &variance);
        let mut output = vec![f32::NAN; input.len()];
        batch_norm::forward(&case.norm, inputs, &mut output, instructions, &buffers);
        assert_close(&what("output"), &output, &expected.output);

        // Rounding may decide what ReLU cuts off: the kernel's output says what was cut off.
        let passed: Vec<f64> = case
            .gradient
            .iter()
            .zip(&output)
            .map(
                |(&gradient, &output)| {
                    if relu && output <= 0.0 { 0.0 } else { f64::from(gradient) }
                },
            )
            .collect();
        let (mut of_gamma, mut of_beta) = (vec![0.0; channels], vec![0.0; channels]);
        let deviation = |channel: usize| (expected.variance[channel] + f64::from(epsilon)).sqrt();
        let normal = |at: usize| {
            let channel = at % channels;
            (input[at] - expected.mean[channel]) / deviation(channel)
        };
        for (at, passed) in passed.iter().enumerate() {
            of_gamma[at % channels] += passed * normal(at);
            of_beta[at % channels] += passed;
        }
        let count = pixels as f64;
        let mut largest = 0.0_f64;
        let of_input: Vec<f64> = passed
            .iter()
            .enumerate()
            .map(|(at, passed)| {
                let channel = at % channels;
                let lost = (of_beta[channel] + normal(at) * of_gamma[channel]) / count;
                let scale = gamma[channel] / deviation(channel);
                largest = largest.max((passed * scale).abs());
                scale * (passed - if of_batch { lost } else { 0.0 })
            })
            .collect();
        let mut found_input = vec![f32::NAN; input.len()];
        let mut found_gamma = vec![f32::NAN; channels];
        let mut found_beta = vec![f32::NAN; channels];
        batch_norm::backward(
            &case.norm,
            inputs,
            &case.gradient,
            batch_norm::Gradients {
                input: Some(&mut found_input),
                gamma: &mut found_gamma,
                beta: &mut found_beta,
            },
            instructions,
            &buffers,
        );
        assert_close(&what("gradient of beta"), &found_beta, &of_beta);
        // The input's gradient is a difference of numbers as large as `largest`: of two pixels, nearly nothing is left.
        let room = 1e-5 * largest * (count * channels as f64).sqrt();
        let off = found_gamma.iter().zip(&of_gamma).map(|(&a, b)| (f64::from(a) - b).powi(2));
        assert!(
            off.sum::<f64>().sqrt() <= 1e-5 * count.sqrt() * 10.0,
            "{}",
            what("gradient of gamma")
        );
        let off = found_input.iter().zip(&of_input).map(|(&a, b)| (f64::from(a) - b).powi(2));
        assert!(off.sum::<f64>().sqrt() <= room + 1e-30, "{}", what("input gradient"));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn any_batch_norm_is_right() {
    let any = (1_usize..=300, 1_usize..=70, any::<bool>(), any::<bool>(), 0_u64..1000);
    for_all(cases(200), any, |(pixels, channels, relu, of_batch, seed)| {
        let norm = BatchNorm { pixels, channels, epsilon: 1e-3, of_batch, relu };
        batch_norm_is_right(&NormCase::new(norm, seed));
    });
}

/// The loss `sum(gradient * output)` changes with each input and parameter as its gradient says.
#[wasm_bindgen_test(unsupported = test)]
fn batch_norm_gradients_are_slopes() {
    const STEP: f64 = 1e-5;
    for (relu, of_batch) in [(false, false), (false, true), (true, false), (true, true)] {
        let norm = BatchNorm { pixels: 6, channels: 5, epsilon: 1e-3, of_batch, relu };
        let case = NormCase::new(norm, 11);
        let (buffers, instructions) = (Buffers::default(), Instructions::best());
        let (mut mean, mut variance) = (case.mean.clone(), case.variance.clone());
        if of_batch {
            batch_norm::moments(&norm, &case.input, &mut mean, &mut variance, instructions);
        }
        let mut found = [vec![0.0; 30], vec![0.0; 5], vec![0.0; 5]];
        let [input, gamma, beta] = &mut found;
        batch_norm::backward(
            &norm,
            case.inputs(&mean, &variance),
            &case.gradient,
            batch_norm::Gradients { input: Some(input), gamma, beta },
            instructions,
            &buffers,
        );
        let parts = [double(&case.input), double(&case.gamma), double(&case.beta)];
        for part in 0..3 {
            for at in 0..parts[part].len() {
                let loss = |step: f64| {
                    let mut parts = parts.clone();
                    parts[part][at] += step;
                    let output = case.by_definition(&parts[0], &parts[1], &parts[2]).output;
                    output.iter().zip(&case.gradient).map(|(a, &b)| a * f64::from(b)).sum::<f64>()
                };
                let slope = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
                let found = f64::from(found[part][at]);
                let close = (slope - found).abs() < 1e-4 * slope.abs().max(1.0);
                assert!(close, "{norm:?}, {part}, {at}: {slope}, {found}");
            }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_a_number_passes_a_batch_norm() {
    let norm = BatchNorm { pixels: 9, channels: 5, epsilon: 1e-3, of_batch: false, relu: true };
    let mut case = NormCase::new(norm, 1);
    case.input[7] = f32::NAN;
    case.gradient[13] = f32::NAN;
    for &instructions in Instructions::all() {
        let buffers = Buffers::default();
        let inputs = case.inputs(&case.mean, &case.variance);
        let mut output = vec![0.0; 45];
        batch_norm::forward(&norm, inputs, &mut output, instructions, &buffers);
        let lost = |values: &[f32]| -> Vec<usize> {
            (0..values.len()).filter(|&at| values[at].is_nan()).collect()
        };
        assert_eq!(lost(&output), [7]);
        let mut of_input = vec![0.0; 45];
        let (mut of_gamma, mut of_beta) = (vec![0.0; 5], vec![0.0; 5]);
        let gradients = batch_norm::Gradients {
            input: Some(&mut of_input),
            gamma: &mut of_gamma,
            beta: &mut of_beta,
        };
        let gradient = &case.gradient;
        batch_norm::backward(&norm, inputs, gradient, gradients, instructions, &buffers);
        assert!(lost(&of_input).contains(&13), "{:?}", lost(&of_input));
        assert_eq!((lost(&of_gamma), lost(&of_beta)), (vec![2, 3], vec![3]));
    }
}

/// An axis whose windows fit it.
fn any_axis() -> impl Strategy<Value = Axis> {
    (1_usize..=12, 1_usize..=5, 1_usize..=4, 0_usize..=2, 0_usize..=2).prop_map(
        |(input, window, stride, before, after)| {
            let window = window.min(input);
            let padding = [before.min(window - 1), after.min(window - 1)];
            Axis { input, window, stride, padding }
        },
    )
}

#[wasm_bindgen_test(unsupported = test)]
fn any_max_pool_is_right() {
    let any = (1_usize..=4, any_axis(), any_axis(), 1_usize..=40, 0_u64..1000);
    for_all(cases(200), any, |(images, rows, columns, channels, seed)| {
        let pool = MaxPool { images, rows, columns, channels };
        let mut input = numbers(pool.input_size(), seed);
        if seed % 3 == 0 {
            // Makes many values equal.
            input.iter_mut().for_each(|value| *value = (*value * 2.0).round());
        }
        let gradient = numbers(pool.output_size(), seed + 1);
        let (mut expected, mut of_input) = (vec![], vec![0.0; input.len()]);
        for (at, gradient) in gradient.iter().enumerate() {
            let (pixel, channel) = (at / channels, at % channels);
            let (row, column) = (pixel / columns.output(), pixel % columns.output());
            let (image, row) = (row / rows.output(), row % rows.output());
            let inside = |axis: Axis, output: usize, place: usize| {
                let at = (output * axis.stride + place).checked_sub(axis.padding[0])?;
                (at < axis.input).then_some(at)
            };
            let mut best = None;
            for place in 0..rows.window * columns.window {
                let y = inside(rows, row, place / columns.window);
                let x = inside(columns, column, place % columns.window);
                let (Some(y), Some(x)) = (y, x) else { continue };
                let from = ((image * rows.input + y) * columns.input + x) * channels + channel;
                if best.is_none_or(|best: usize| input[from] > input[best]) {
                    best = Some(from);
                }
            }
            let best = best.expect("a window has a pixel");
            expected.push(input[best]);
            of_input[best] += gradient;
        }
        for &instructions in Instructions::all() {
            let mut output = vec![f32::NAN; expected.len()];
            let mut winners = vec![0.0; expected.len()];
            max_pool::forward(&pool, &input, &mut output, &mut winners, instructions);
            assert_eq!(output, expected, "{pool:?} in {instructions:?}");
            let mut found = vec![f32::NAN; input.len()];
            max_pool::backward(&pool, &gradient, &winners, &mut found);
            assert_eq!(found, of_input, "{pool:?} in {instructions:?}");
        }
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_a_number_wins_a_max_pool() {
    let axis = Axis { input: 2, window: 2, stride: 2, padding: [0, 0] };
    let pool = MaxPool { images: 1, rows: axis, columns: axis, channels: 19 };
    for place in 0..4 {
        let mut input = numbers(pool.input_size(), 3);
        input[place * 19 + 17] = f32::NAN;
        for &instructions in Instructions::all() {
            let (mut output, mut winners) = (vec![0.0; 19], vec![0.0; 19]);
            max_pool::forward(&pool, &input, &mut output, &mut winners, instructions);
            assert!(output[17].is_nan() && winners[17].to_bits() as usize == place);
            assert_eq!(output.iter().filter(|value| value.is_nan()).count(), 1);
        }
    }
}

fn locally_connected_is_right(layer: LocallyConnected, seed: u64) {
    let LocallyConnected { images, height, width, channels, filters, window, relu } = layer;
    let (rows, columns) = (layer.output_height(), layer.output_width());
    let input = numbers(layer.input_size(), seed);
    let kernel = numbers(layer.kernel_size(), seed + 1);
    let bias = numbers(layer.bias_size(), seed + 2);
    let gradient = numbers(layer.output_size(), seed + 3);
    // Calls `term` with the places of each multiplication in the output, the input and the kernel.
    let each_term = |term: &mut dyn FnMut(usize, usize, usize)| {
        for output in 0..layer.output_size() {
            let (pixel, filter) = (output / filters, output % filters);
            let (image, place) = (pixel / (rows * columns), pixel % (rows * columns));
            for number in 0..window * window * channels {
                let (y, x) = (number / channels / window, number / channels % window);
                let row = image * height + place / columns + y;
                let from = (row * width + place % columns + x) * channels + number % channels;
                let weight = (place * window * window * channels + number) * filters + filter;
                term(output, from, weight);
            }
        }
    };
    let (x, w) = (double(&input), double(&kernel));
    let mut expected = double(&bias).repeat(images);
    each_term(&mut |output, from, weight| expected[output] += x[from] * w[weight]);
    if relu {
        expected.iter_mut().for_each(|value| *value = value.max(0.0));
    }
    for &instructions in Instructions::all() {
        let what = |part: &str| format!("{part} of {layer:?} in {instructions:?}");
        let inputs = locally_connected::Inputs { input: &input, kernel: &kernel, bias: &bias };
        let mut output = vec![f32::NAN; expected.len()];
        locally_connected::forward(&layer, inputs, &mut output, instructions);
        assert_close(&what("output"), &output, &expected);
        let passes = |at: usize| !relu || output[at] > 0.0;
        let mut of_input = vec![0.0; x.len()];
        let mut of_kernel = vec![0.0; w.len()];
        let mut of_bias = vec![0.0; bias.len()];
        each_term(&mut |output, from, weight| {
            if passes(output) {
                of_input[from] += f64::from(gradient[output]) * w[weight];
                of_kernel[weight] += f64::from(gradient[output]) * x[from];
            }
        });
        for (at, &gradient) in gradient.iter().enumerate().filter(|(at, _)| passes(*at)) {
            of_bias[at % bias.len()] += f64::from(gradient);
        }
        let mut found_input = vec![f32::NAN; x.len()];
        let mut found_kernel = vec![f32::NAN; w.len()];
        let mut found_bias = vec![f32::NAN; bias.len()];
        locally_connected::backward(
            &layer,
            inputs,
            &output,
            &gradient,
            locally_connected::Gradients {
                input: Some(&mut found_input),
                kernel: &mut found_kernel,
                bias: &mut found_bias,
            },
            instructions,
            &Buffers::default(),
        );
        assert_close(&what("input gradient"), &found_input, &of_input);
        assert_close(&what("kernel gradient"), &found_kernel, &of_kernel);
        assert_close(&what("bias gradient"), &found_bias, &of_bias);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn any_locally_connected_layer_is_right() {
    let sizes = (1_usize..=9, 1_usize..=7, 1_usize..=7, 1_usize..=9, 1_usize..=37, 1_usize..=4);
    for_all(cases(200), (sizes, any::<bool>(), 0_u64..1000), |(sizes, relu, seed)| {
        let (images, height, width, channels, filters, window) = sizes;
        let window = window.min(height).min(width);
        let layer = LocallyConnected { images, height, width, channels, filters, window, relu };
        locally_connected_is_right(layer, seed);
    });
}

/// Sizes whose product wraps around to a slice's length are refused before anything is read.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn sizes_that_overflow_are_refused() {
    #[track_caller]
    fn refused(call: impl FnOnce() + std::panic::UnwindSafe) {
        let panic = std::panic::catch_unwind(call).expect_err("sizes that overflow");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("fits the memory"), "{message}");
    }
    let half = 1 << (usize::BITS - 1);
    let best = Instructions::best();
    // Twice the half is 0.
    let norm = BatchNorm { pixels: 2, channels: half, epsilon: 0.0, of_batch: true, relu: false };
    refused(|| batch_norm::moments(&norm, &[], &mut [], &mut [], best));
    let axis = Axis { input: 1, window: 1, stride: 1, padding: [0, 0] };
    let pool = MaxPool { images: 2, rows: axis, columns: axis, channels: half };
    refused(|| max_pool::forward(&pool, &[], &mut [], &mut [], best));
    let size = LocallyConnected {
        images: 2,
        height: 1,
        width: 1,
        channels: half,
        filters: 1,
        window: 1,
        relu: false,
    };
    let inputs = locally_connected::Inputs { input: &[], kernel: &[], bias: &[0.0] };
    refused(|| locally_connected::forward(&size, inputs, &mut [0.0; 2], best));
    // 16 (3 s + 1) is 48.
    let stride = ((1_u128 << usize::BITS) + 32) / 48;
    let shape = Shape {
        images: 1,
        height: 1,
        width: 3 * stride as usize + 1,
        channels: 16,
        filters: 1,
        window: 1,
        stride: stride as usize,
        padding: convolution::Padding::NONE,
    };
    let block = Block { shape, relu: false, pool: 1 };
    let plan = Plan::all(&block, Path::Direct);
    refused(move || {
        let inputs = convolution::Inputs { input: &[0.0; 48], kernel: &[0.0; 16], bias: &[0.0] };
        let (output, buffers) = (&mut [0.0; 4], Buffers::default());
        convolution::forward(&block, &plan, inputs, output, None, best, &buffers);
    });
    let layer = Dense { images: 2, inputs: 2, units: half, relu: false };
    refused(move || {
        let gradients = dense::Gradients { input: None, kernel: &mut [], bias: &mut [] };
        let known = dense::Known { input: &[0.0; 4], kernel: &[], output: &[], gradient: &[] };
        dense::backward(&layer, known, gradients, best, &Buffers::default());
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn any_dropout_is_right() {
    for_all(cases(100), (0_usize..=70, 0.0_f32..0.95, 0_u64..1000), |(count, rate, seed)| {
        let noise: Vec<f32> = numbers(count, seed).iter().map(|value| value.abs()).collect();
        let mut from = numbers(count, seed + 1);
        if let Some(first) = from.first_mut() {
            // NaN, whether it is dropped or kept.
            *first = f32::NAN;
        }
        let scale = 1.0 / (1.0 - rate);
        let factor = |noise: f32| if noise >= rate { scale } else { 0.0 };
        let expected: Vec<f32> = from.iter().zip(&noise).map(|(a, &b)| a * factor(b)).collect();
        for &instructions in Instructions::all() {
            let mut found = vec![0.5; count];
            Dropout { noise: &noise, rate }.apply(&from, &mut found, instructions);
            let bits =
                |values: &[f32]| values.iter().skip(1).map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected), "{rate} in {instructions:?}");
            assert!(found.first().is_none_or(|first| first.is_nan()));
        }
    });
}

/// All instructions give the same numbers. (`seeding` tests that they are ChaCha's.)
#[wasm_bindgen_test(unsupported = test)]
fn random_numbers_are_the_same_from_any_word_on() {
    let key = std::array::from_fn(|at| at as u8);
    // A counter whose lower half is about to overflow.
    let start = ((1_u64 << 32) - 2) * 16;
    let stream = Stream { key, number: 0x0102_0304_0506_0708 };
    let mut all = vec![0.0; 200];
    stream.uniforms(start, &mut all, Instructions::best());
    assert!(all.iter().all(|number| (0.0..1.0).contains(number)));
    for &instructions in Instructions::all() {
        for (skipped, count) in [(0, 200), (1, 63), (15, 66), (64, 64), (130, 0), (131, 5)] {
            let mut found = vec![2.0; count];
            stream.uniforms(start + skipped as u64, &mut found, instructions);
            assert_eq!(found, all[skipped..][..count], "{skipped} in {instructions:?}");
        }
    }
}

/// Compares with the Box-Muller method by Rust's own functions; in WebAssembly, these give the kernel's numbers to the bit.
#[wasm_bindgen_test(unsupported = test)]
fn normal_numbers_are_those_of_the_definition() {
    const STEP: f32 = 1.0 / 16_777_216.0;
    let mut uniforms: Vec<f32> = numbers(40_000, 5).iter().map(|value| value.abs()).collect();
    // Numbers near each eighth of a turn, where nearly nothing is left of a quarter turn, and the first and last numbers.
    for eighth in 0..=8 {
        for step in -40..=40 {
            let number = eighth as f32 / 8.0 + step as f32 * STEP;
            if (0.0..1.0).contains(&number) {
                uniforms.extend([0.3, number, number, 0.3]);
            }
        }
    }
    for &instructions in Instructions::all() {
        for count in [0, 1, 2, 3, 5, uniforms.len()] {
            let from = &uniforms[..count.next_multiple_of(2)];
            let mut found = vec![0.0; count];
            normal::add(from, 0.7, &mut found, instructions);
            let mut different = 0;
            for (pair, found) in from.chunks(2).zip(found.chunks(2)) {
                let mut pair = pair.iter().copied();
                let expected = normal_pair(|| pair.next().unwrap());
                for (expected, &found) in expected.into_iter().zip(found) {
                    let expected = (expected * 0.7) as f32;
                    assert!(
                        (expected - found).abs() <= expected.abs() * 2e-7,
                        "{expected}, {found}"
                    );
                    different += usize::from(expected != found);
                }
            }
            let most = if cfg!(target_arch = "wasm32") { 0 } else { 1 };
            assert!(different <= most, "{different} of {count} in {instructions:?}");
        }
    }
}
