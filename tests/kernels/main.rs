//! Compares the kernels with naive loops in f64, with Burn's own operations, and with finite differences: natively and in the
//! browser, with the machine's vectors and in portable code.

mod layers;

use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData};
use overfit_lab::backend::floats;
use overfit_lab::backend::{self, Compute};
use overfit_lab::kernels::buffers::Buffers;
use overfit_lab::kernels::convolution::{self, Block, Padding, Path, Plan, Shape};
use overfit_lab::kernels::dense::{self, Dense};
use overfit_lab::kernels::lanes::Instructions;
use overfit_lab::kernels::loss::cross_entropy;
use overfit_lab::kernels::reference::{convolve, each_term, numbers, output, window};
use overfit_lab::operations;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The largest distance from the expected values, as a share of their l2 norm.
const TOLERANCE: f64 = 1e-5;

/// Checks the same cases every time, natively and in the browser, which has no source of randomness for proptest.
fn for_all<S: Strategy>(cases: u32, strategy: S, check: impl Fn(S::Value))
where
    S::Value: std::fmt::Debug + Clone,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, random).run(&strategy, |case| {
        check(case);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let norm = expected.iter().map(|value| value * value).sum::<f64>().sqrt();
    let difference =
        found.iter().zip(expected).map(|(found, expected)| f64::from(*found) - expected);
    let distance = difference.map(|difference| difference * difference).sum::<f64>().sqrt();
    assert!(distance <= TOLERANCE * norm + 1e-30, "{what}: {distance:e} off, of {norm:e}");
}

fn block_is_right(block: Block, seed: u64) {
    let shape = block.shape;
    let input = numbers(shape.input_size(), seed);
    let kernel = numbers(shape.kernel_size(), seed + 1);
    let bias = numbers(shape.filters, seed + 2);
    let gradient = numbers(block.output_size(), seed + 3);
    let double = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let (x, w) = (double(&input), double(&kernel));
    let convolved = convolve(&shape, &input, &kernel, &bias);
    let expected: Vec<f64> =
        (0..block.output_size()).map(|at| output(&block, &convolved, at)).collect();
    let winograd = Plan::fits(&block).then_some(Path::Winograd);
    let paths = [Some(Path::Direct), Some(Path::Winners), winograd];
    let plans = paths.into_iter().flatten().map(|path| Plan::all(&block, path));
    let ways = plans.flat_map(|plan| Instructions::all().iter().map(move |&one| (plan, one)));
    for (plan, instructions) in ways {
        let what = |part: &str| format!("{part} of {block:?}, {plan:?}, in {instructions:?}");
        let buffers = Buffers::default();
        let mut output = vec![f32::NAN; block.output_size()];
        let mut winners = vec![0; block.output_size()];
        convolution::forward(
            &block,
            &plan,
            convolution::Inputs { input: &input, kernel: &kernel, bias: &bias },
            &mut output,
            Some(&mut winners),
            instructions,
            &buffers,
        );
        assert_close(&what("output"), &output, &expected);

        // Rounding may choose another of two nearly equal values: the gradient goes to the place that the kernel chose.
        let mut passed = vec![0.0; convolved.len()];
        for (at, &winner) in winners.iter().enumerate() {
            match window(&block, at).nth(usize::from(winner)) {
                Some(place) => {
                    let off = (convolved[place] - expected[at]).abs();
                    assert!(off <= 1e-4, "{}: {winner}", what("winner"));
                    passed[place] += f64::from(gradient[at]);
                }
                None => assert!(block.relu && expected[at] <= 1e-4, "{}", what("winner")),
            }
        }
        let mut of_input = vec![0.0; x.len()];
        let mut of_kernel = vec![0.0; w.len()];
        let mut of_bias = vec![0.0; shape.filters];
        each_term(&shape, |term| {
            of_input[term.input] += passed[term.output] * w[term.weight];
            of_kernel[term.weight] += passed[term.output] * x[term.input];
        });
        for row in passed.chunks_exact(shape.filters) {
            of_bias.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let mut found_input = vec![f32::NAN; x.len()];
        let mut found_kernel = vec![f32::NAN; w.len()];
        let mut found_bias = vec![f32::NAN; shape.filters];
        convolution::backward(
            &block,
            &plan,
            convolution::Known {
                input: &input,
                kernel: &kernel,
                gradient: &gradient,
                winners: &winners,
            },
            convolution::Gradients {
                input: Some(&mut found_input),
                kernel: &mut found_kernel,
                bias: &mut found_bias,
            },
            instructions,
            &buffers,
        );
        assert_close(&what("input gradient"), &found_input, &of_input);
        assert_close(&what("kernel gradient"), &found_kernel, &of_kernel);
        assert_close(&what("bias gradient"), &found_bias, &of_bias);
    }
}

prop_compose! {
    /// Any block whose window fits its input and whose pool fits its output.
    fn any_block()(
        images in 1_usize..=3,
        height in 1_usize..=14,
        width in 1_usize..=14,
        channels in 1_usize..=9,
        filters in prop_oneof![1_usize..=20, Just(32), Just(37)],
        window in 1_usize..=11,
        stride in 1_usize..=4,
        same in any::<bool>(),
        // With strides, Keras' padding of an axis depends on the axis' length.
        less in [0_usize..=2, 0_usize..=2],
        relu in any::<bool>(),
        pool in 1_usize..=4,
    ) -> Block {
        let window = if same { window } else { window.min(height).min(width) };
        // At least enough zeros for one window.
        let zeros = |less: usize, size: usize| (window - 1).saturating_sub(less).max(window.saturating_sub(size));
        let (rows, columns) = (zeros(less[0], height), zeros(less[1], width));
        let padding = match same {
            false => Padding::NONE,
            true => Padding {
                top: rows / 2,
                bottom: rows - rows / 2,
                left: columns / 2,
                right: columns - columns / 2,
            },
        };
        let shape = Shape { images, height, width, channels, filters, window, stride, padding };
        let pool = pool.min(shape.output_height()).min(shape.output_width());
        Block { shape, relu, pool }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn any_convolution_is_right() {
    for_all(
        if cfg!(target_arch = "wasm32") { 60 } else { 200 },
        (any_block(), 0_u64..1000),
        |(block, seed)| {
            block_is_right(block, seed);
        },
    );
}

/// The blocks that Winograd's transform can compute, by the transform and by the definition.
#[wasm_bindgen_test(unsupported = test)]
fn any_3_by_3_convolution_is_right_by_both_paths() {
    let cases = if cfg!(target_arch = "wasm32") { 40 } else { 120 };
    for_all(cases, (any_block(), 0_u64..1000), |(mut block, seed)| {
        let shape = &mut block.shape;
        (shape.window, shape.stride) = (3, 1);
        (shape.height, shape.width) = (shape.height.max(3), shape.width.max(3));
        let Padding { top, bottom, left, right } = shape.padding;
        let [top, bottom, left, right] = [top, bottom, left, right].map(|zeros| zeros.min(2));
        shape.padding = Padding { top, bottom, left, right };
        block.pool = block.pool.min(2).min(shape.output_height()).min(shape.output_width());
        assert!(Plan::fits(&block));
        block_is_right(block, seed);
    });
}

#[wasm_bindgen_test(unsupported = test)]
fn the_articles_convolutions_are_right() {
    for (side, channels, filters, pool) in [(64, 3, 32, 2), (31, 32, 64, 2), (14, 64, 128, 1)] {
        let shape = Shape {
            images: 1,
            height: side,
            width: side,
            channels,
            filters,
            window: 3,
            stride: 1,
            padding: Padding::NONE,
        };
        block_is_right(Block { shape, relu: true, pool }, 7);
    }
}

/// Many images of fewer floats than a vector has lanes: reading a whole vector goes past several images.
#[wasm_bindgen_test(unsupported = test)]
fn images_smaller_than_a_vector_are_right() {
    for (side, channels, window) in [(1, 1, 1), (2, 1, 1), (2, 1, 2), (1, 3, 1), (3, 1, 2)] {
        for images in [1, 2, 5, 20] {
            let (height, width, padding) = (side, side, Padding::NONE);
            let (filters, stride) = (2, 1);
            let shape = Shape { images, height, width, channels, filters, window, stride, padding };
            block_is_right(Block { shape, relu: true, pool: 1 }, 3);
        }
    }
}

/// The loss `sum(gradient * output)` changes with each input, weight and bias as its gradient says.
#[wasm_bindgen_test(unsupported = test)]
fn gradients_are_slopes() {
    const STEP: f32 = 1e-2;
    let shape = Shape {
        images: 2,
        height: 9,
        width: 8,
        channels: 3,
        filters: 5,
        window: 3,
        stride: 1,
        padding: Padding::alike(1, 1),
    };
    let block = Block { shape, relu: true, pool: 2 };
    let buffers = Buffers::default();
    let instructions = Instructions::best();
    let mut parts = [shape.input_size(), shape.kernel_size(), shape.filters]
        .map(|count| numbers(count, count as u64));
    let gradient = numbers(block.output_size(), 9);
    let run = |parts: &[Vec<f32>; 3]| {
        let mut output = vec![0.0; block.output_size()];
        let mut winners = vec![0; block.output_size()];
        let [input, kernel, bias] = parts;
        convolution::forward(
            &block,
            &Plan::of(&block),
            convolution::Inputs { input, kernel, bias },
            &mut output,
            Some(&mut winners),
            instructions,
            &buffers,
        );
        let terms = output.iter().zip(&gradient).map(|(a, b)| f64::from(*a) * f64::from(*b));
        (terms.sum::<f64>(), winners)
    };
    let (_, winners) = run(&parts);
    let mut found = parts.clone();
    let [of_input, of_kernel, of_bias] = &mut found;
    convolution::backward(
        &block,
        &Plan::of(&block),
        convolution::Known {
            input: &parts[0],
            kernel: &parts[1],
            gradient: &gradient,
            winners: &winners,
        },
        convolution::Gradients { input: Some(of_input), kernel: of_kernel, bias: of_bias },
        instructions,
        &buffers,
    );
    let mut compared = 0;
    for part in 0..3 {
        for at in (0..parts[part].len()).step_by(3) {
            let before = parts[part][at];
            let [(above, above_winners), (below, below_winners)] = [STEP, -STEP].map(|step| {
                parts[part][at] = before + step;
                run(&parts)
            });
            parts[part][at] = before;
            // Where a winner changes there is no slope.
            if above_winners != winners || below_winners != winners {
                continue;
            }
            let slope = (above - below) / f64::from(2.0 * STEP);
            let found = f64::from(found[part][at]);
            assert!(
                (slope - found).abs() < 1e-3 * slope.abs().max(1.0),
                "{part}, {at}: {slope}, {found}"
            );
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}

fn dense_is_right(dense: Dense, seed: u64) {
    let Dense { images, inputs, units, relu } = dense;
    let [input, kernel, bias, gradient] = [images * inputs, inputs * units, units, images * units]
        .map(|count| numbers(count, seed + count as u64));
    let double = |value: f32| f64::from(value);
    let mut expected: Vec<f64> =
        bias.iter().copied().map(double).collect::<Vec<_>>().repeat(images);
    for image in 0..images {
        for at in 0..inputs {
            for unit in 0..units {
                expected[image * units + unit] +=
                    double(input[image * inputs + at]) * double(kernel[at * units + unit]);
            }
        }
    }
    if relu {
        expected.iter_mut().for_each(|value| *value = value.max(0.0));
    }
    for &instructions in Instructions::all() {
        let what = |part: &str| format!("{part} of {dense:?} in {instructions:?}");
        let buffers = Buffers::default();
        let mut output = vec![f32::NAN; images * units];
        let from = dense::Inputs { input: &input, kernel: &kernel, bias: &bias };
        dense::forward(&dense, from, &mut output, instructions, &buffers);
        assert_close(&what("output"), &output, &expected);
        let passed: Vec<f64> = gradient
            .iter()
            .zip(&output)
            .map(|(&gradient, &output)| if relu && output <= 0.0 { 0.0 } else { double(gradient) })
            .collect();
        let mut of_input = vec![0.0; input.len()];
        let mut of_kernel = vec![0.0; kernel.len()];
        let mut of_bias = vec![0.0; units];
        for image in 0..images {
            for unit in 0..units {
                let passed = passed[image * units + unit];
                of_bias[unit] += passed;
                for at in 0..inputs {
                    of_input[image * inputs + at] += passed * double(kernel[at * units + unit]);
                    of_kernel[at * units + unit] += passed * double(input[image * inputs + at]);
                }
            }
        }
        let mut found_input = vec![f32::NAN; input.len()];
        let mut found_kernel = vec![f32::NAN; kernel.len()];
        let mut found_bias = vec![f32::NAN; units];
        dense::backward(
            &dense,
            dense::Known { input: &input, kernel: &kernel, output: &output, gradient: &gradient },
            dense::Gradients {
                input: Some(&mut found_input),
                kernel: &mut found_kernel,
                bias: &mut found_bias,
            },
            instructions,
            &buffers,
        );
        assert_close(&what("input gradient"), &found_input, &of_input);
        assert_close(&what("kernel gradient"), &found_kernel, &of_kernel);
        assert_close(&what("bias gradient"), &found_bias, &of_bias);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn any_dense_layer_is_right() {
    let any = (1_usize..=33, 1_usize..=300, 1_usize..=40, any::<bool>(), 0_u64..1000);
    for_all(
        if cfg!(target_arch = "wasm32") { 60 } else { 200 },
        any,
        |(images, inputs, units, relu, seed)| {
            dense_is_right(Dense { images, inputs, units, relu }, seed);
        },
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn the_loss_is_right() {
    for_all(
        100,
        (1_usize..=9, 2_usize..=12, 0_u64..1000, 0.1_f32..50.0),
        |(rows, classes, seed, scale)| {
            let logits: Vec<f32> =
                numbers(rows * classes, seed).iter().map(|value| value * scale).collect();
            let labels: Vec<u32> =
                (0..rows).map(|row| (seed as usize + row) as u32 % classes as u32).collect();
            let mut gradient = vec![f32::NAN; logits.len()];
            let loss = cross_entropy(&logits, &labels, &mut gradient);
            let (mut expected, mut slopes) = (0.0, Vec::new());
            for (logits, &label) in logits.chunks_exact(classes).zip(&labels) {
                let highest = logits.iter().copied().fold(f32::MIN, f32::max);
                let exponentials = logits.iter().map(|&logit| f64::from(logit - highest).exp());
                let exponentials: Vec<f64> = exponentials.collect();
                let sum: f64 = exponentials.iter().sum();
                expected -= (exponentials[label as usize] / sum).ln() / rows as f64;
                slopes.extend(exponentials.iter().enumerate().map(|(class, value)| {
                    (value / sum - f64::from(u8::from(class == label as usize))) / rows as f64
                }));
            }
            assert!(
                (f64::from(loss) - expected).abs() <= 1e-5 * expected.max(1.0),
                "{loss}, {expected}"
            );
            // A probability near 1, minus 1, has only the digits that f32 has after the 1, however small the difference.
            let off = gradient
                .iter()
                .zip(&slopes)
                .map(|(found, slope)| (f64::from(*found) - slope).abs());
            assert!(off.fold(0.0, f64::max) < 1e-6, "{gradient:?}, {slopes:?}");
        },
    );
}

/// A block's output, and the gradients of `sum(gradient * output)` for input, kernel and bias, all in Keras' order.
type Results = [Vec<f32>; 4];

/// Computes a block by the kernels and by Burn's own operations.
fn both_ways(block: Block, parts: &[Vec<f32>; 3], gradient: &[f32]) -> [Results; 2] {
    ["flex", "flex-plain"].map(|id| {
        let Block { shape, relu: with_relu, pool } = block;
        let backend = backend::open(id).unwrap();
        let tensor = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Tensor::<1>::from_data(data, &backend.device)
        };
        let [input, kernel, bias] = parts.each_ref().map(|part| tensor(part).require_grad());
        let pixels =
            input.clone().reshape([shape.images, shape.height, shape.width, shape.channels]);
        let output = match &backend.compute {
            Compute::Kernels(buffers) => {
                operations::block(pixels, kernel.clone(), bias.clone(), block, buffers)
            }
            #[cfg(feature = "plain")]
            Compute::Burn => {
                let size = [shape.window, shape.window, shape.channels, shape.filters];
                let weight = kernel.clone().reshape(size).permute([3, 2, 0, 1]);
                let Padding { top, bottom, left, right } = shape.padding;
                let padding = [(top, bottom), (left, right)];
                let stride = [shape.stride; 2];
                let options = ConvOptions::new_with_padding(stride, padding, [1, 1], 1);
                let planes = pixels.permute([0, 3, 1, 2]);
                let convolved = conv2d(planes, weight, Some(bias.clone()), options);
                let passed = if with_relu { relu(convolved) } else { convolved };
                max_pool2d(passed, MaxPoolOptions::new([pool, pool])).permute([0, 2, 3, 1])
            }
        };
        let output = output.reshape([block.output_size()]);
        let mut gradients = (output.clone() * tensor(gradient)).sum().backward();
        let mut of =
            |part: &Tensor<1>| floats(part.grad_remove(&mut gradients).unwrap().into_data());
        let [of_input, of_kernel, of_bias] = [&input, &kernel, &bias].map(&mut of);
        [floats(output.inner().into_data()), of_input, of_kernel, of_bias]
    })
}

fn small_block() -> Block {
    let shape = Shape {
        images: 2,
        height: 9,
        width: 10,
        channels: 2,
        filters: 3,
        window: 3,
        stride: 1,
        padding: Padding::alike(1, 1),
    };
    Block { shape, relu: true, pool: 2 }
}

/// Sums of small whole numbers are exact, so equal values in a window stay equal, and zeros stay zeros.
#[wasm_bindgen_test(unsupported = test)]
fn ties_go_to_the_first_as_in_burn() {
    for relu in [true, false] {
        let block = Block { relu, ..small_block() };
        let shape = block.shape;
        let whole = |count: usize, seed: u64| -> Vec<f32> {
            numbers(count, seed).iter().map(|value| (value * 1.5).round()).collect()
        };
        let parts =
            [whole(shape.input_size(), 1), whole(shape.kernel_size(), 2), vec![0.0; shape.filters]];
        let gradient = whole(block.output_size(), 3);
        let [found, expected] = both_ways(block, &parts, &gradient);
        assert_eq!(found, expected, "relu {relu}");
        let zeros = expected[0].iter().filter(|&&value| value == 0.0).count();
        assert!(zeros > 5, "{zeros}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn nothing_passes_a_relu_that_is_never_active() {
    let block = small_block();
    let shape = block.shape;
    let parts =
        [vec![1.0; shape.input_size()], vec![-1.0; shape.kernel_size()], vec![0.0; shape.filters]];
    let [found, expected] = both_ways(block, &parts, &numbers(block.output_size(), 1));
    assert_eq!(found, expected);
    assert!(found.iter().flatten().all(|&value| value == 0.0));
}

/// NaN passes convolution, ReLU and pool exactly as in Burn. Backward, the kernels pass a NaN only to the weights whose winning
/// windows contained it; Burn also multiplies it by the zeros of all other windows, and so spreads it.
#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_a_number_passes() {
    let block = small_block();
    let shape = block.shape;
    let mut parts = [shape.input_size(), shape.kernel_size(), shape.filters]
        .map(|count| numbers(count, count as u64));
    let last = parts[0].len() - 1;
    for (at, value) in [(37, f32::NAN), (200, f32::INFINITY), (last, f32::NAN)] {
        parts[0][at] = value;
        let [found, expected] = both_ways(block, &parts, &numbers(block.output_size(), 5));
        let is_same = |(found, expected): (&f32, &f32)| {
            found.is_nan() == expected.is_nan()
                && (found.is_nan() || found == expected || (found - expected).abs() < 1e-5)
        };
        assert!(found[0].iter().zip(&expected[0]).all(is_same), "{found:?}, {expected:?}");
        assert!(found[0].iter().any(|value| !value.is_finite()));
        for (found, expected) in found.iter().zip(&expected).skip(1) {
            for (&found, &expected) in found.iter().zip(expected) {
                let close = (found - expected).abs() < 1e-4 || found == expected;
                assert!(close || expected.is_nan(), "{found}, {expected}");
            }
        }
        assert!(found[2].iter().any(|value| !value.is_finite()));
    }
}

/// Winograd's transform passes NaN to the same pixels as the definition does. It turns infinity into NaN, because it takes
/// differences.
#[wasm_bindgen_test(unsupported = test)]
fn the_same_pixels_are_lost_by_both_paths() {
    let shape = Shape {
        images: 1,
        height: 12,
        width: 12,
        channels: 16,
        filters: 16,
        window: 3,
        stride: 1,
        padding: Padding::NONE,
    };
    let block = Block { shape, relu: false, pool: 1 };
    let kernel = numbers(shape.kernel_size(), 2);
    for (row, column, value) in [(5, 5, f32::NAN), (4, 7, f32::NAN), (6, 3, f32::INFINITY)] {
        let mut input = numbers(shape.input_size(), 1);
        input[(row * 12 + column) * 16 + 3] = value;
        let [direct, winograd] = [Path::Direct, Path::Winograd].map(|path| {
            let mut output = vec![0.0; block.output_size()];
            let inputs = convolution::Inputs { input: &input, kernel: &kernel, bias: &[0.0; 16] };
            let (plan, buffers) = (Plan::all(&block, path), Buffers::default());
            let instructions = Instructions::best();
            convolution::forward(&block, &plan, inputs, &mut output, None, instructions, &buffers);
            output
        });
        assert_eq!(direct.iter().filter(|value| !value.is_finite()).count(), 9 * 16);
        for (direct, winograd) in direct.iter().zip(&winograd) {
            assert_eq!(direct.is_finite(), winograd.is_finite(), "{direct}, {winograd}");
        }
    }
}

/// Each epoch uses the memory of the one before.
#[wasm_bindgen_test(unsupported = test)]
fn buffers_are_used_again() {
    let buffers = Buffers::default();
    let address = |buffers: &Buffers| buffers.floats(1000).as_ptr();
    let first = address(&buffers);
    assert_eq!(address(&buffers), first);
    let held = buffers.floats(1000);
    assert_eq!(held.as_ptr(), first);
    assert_ne!(address(&buffers), first);
    drop(held);
    assert!(buffers.zeros(1000).iter().all(|&value| value == 0.0));
}
