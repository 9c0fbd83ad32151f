//! The memory of a training run, estimated from the configuration alone.

use super::{Experiment, LayerShape, layer_shapes};

/// A run that needs more than this is refused before anything is allocated. A tab's wasm memory ends at 4 GiB, and half of it is
/// already too much for a page.
pub const MEMORY_LIMIT_BYTES: u64 = 2 << 30;

/// The peak memory of a training run on the default backend, in bytes; `u64::MAX` where the layers do not fit.
///
/// The sum counts the wasm itself; the images three times (as drawn, as a tensor, and padded), twice more with augmentation; of
/// each variable the value, the gradient, a working copy, the optimizer's tensors, a second gradient where gradients add up, and
/// the best weights of early stopping; and of one batch the outputs of each layer and the tensors of the loss.
pub fn estimate_memory_bytes(experiment: &Experiment) -> u64 {
    const FLOAT: u64 = 4;
    const WASM: u64 = 2_000_000;
    /// A loss makes this many tensors of the size of the network's output: targets, probabilities, logarithms, their gradients.
    const OF_LOSS: u64 = 16;
    let Ok(shapes) = layer_shapes(&experiment.network, &experiment.dataset) else {
        return u64::MAX;
    };
    let dataset = &experiment.dataset;
    let images = u64::from(dataset.images) + u64::from(dataset.validation_images);
    let pixels = images * dataset.pixels_of_an_image() as u64 * u64::from(dataset.channels);
    let parameters: u64 = shapes.iter().map(|shape| shape.parameters).sum();
    let layers = &experiment.network.layers;
    let of_image = |(index, shape): (usize, &LayerShape)| {
        let follows = &layers[index + 1..];
        shape.output.size() as u64 * layers[index].bytes_of_output(follows)
    };
    let layers: u64 = shapes.iter().enumerate().map(of_image).sum();
    let output = shapes.last().map_or(0, |shape| shape.output.size() as u64);
    let image = layers + FLOAT * OF_LOSS * output;
    let batch = u64::from(experiment.training.batch_size.min(dataset.images));
    let training = &experiment.training;
    let altered = if training.augmentation.is_off() { 0 } else { 2 };
    let kept = u64::from(!training.training_loop.zero_grad);
    let best = u64::from(training.early_stopping.restores_best_weights());
    let copies_of_weights = 3 + kept + best + training.optimizer.slots();
    WASM + FLOAT * ((3 + altered) * pixels + copies_of_weights * parameters) + batch * image
}
