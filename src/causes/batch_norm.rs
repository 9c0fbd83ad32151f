//! Batch normalisation with too few steps, or with batches of one image.

use super::{Cause, Level, Warning};
use crate::experiment::{Experiment, LayerConfig, Norm, Shape, layer_shapes};

/// The code of batch normalisation over a single number per unit.
pub const BATCH_OF_ONE: &str = "batch-of-one";

/// The code of moving averages that are still close to their start values.
pub const AVERAGES_LAG: &str = "moving-averages-lag";

/// Moving averages give a warning where more than this share of them is still their start values at the end of a run.
const MUCH_LEFT: f64 = 0.05;
/// A momentum with which moving averages soon leave their start values.
const QUICK_MOMENTUM: f64 = 0.5;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    if experiment.training.training_loop.inference_mode {
        return Vec::new();
    }
    let lagging = lagging(experiment);
    lagging.into_iter().chain(of_one(experiment)).collect()
}

fn lagging(experiment: &Experiment) -> Option<Warning> {
    let layers = &experiment.network.layers;
    let steps = experiment.steps();
    let left_of = |layer: &LayerConfig| match layer {
        LayerConfig::BatchNorm { momentum, .. } => Some(momentum.powf(f64::from(steps))),
        _ => None,
    };
    let lags = |layer: &LayerConfig| left_of(layer).is_some_and(|left| left > MUCH_LEFT);
    let index = layers.iter().position(lags)?;
    let LayerConfig::BatchNorm { momentum, .. } = layers[index] else { return None };
    let message = format!(
        "After {steps} steps at a momentum of {momentum} the moving averages are still {:.0} % their start values: inference will differ from training. Use a momentum of {QUICK_MOMENTUM} to test memorising, or more steps.",
        100.0 * left_of(&layers[index])?
    );
    let field = format!("network.layers[{index}].momentum");
    let helps = QUICK_MOMENTUM.powf(f64::from(steps)) <= MUCH_LEFT;
    let warning = Warning::new(AVERAGES_LAG, field, message);
    Some(warning.mended(experiment, |mended| {
        for layer in mended.network.layers.iter_mut().filter(|layer| helps && lags(layer)) {
            if let LayerConfig::BatchNorm { momentum, .. } = layer {
                *momentum = QUICK_MOMENTUM;
            }
        }
    }))
}

/// The index of the first batch normalisation that gets one number per unit or channel from an image: after a dense layer, or on an
/// image of 1 x 1.
fn of_one_number(experiment: &Experiment) -> Option<usize> {
    let shapes = layer_shapes(&experiment.network, &experiment.dataset).ok()?;
    let one_number = |shape: Shape| match shape {
        Shape::Image([height, width, _]) => height * width == 1,
        Shape::Flat(_) => true,
    };
    let mut layers = experiment.network.layers.iter().zip(&shapes);
    layers.position(|(layer, shape)| {
        layer.norm() == Some(Norm::OfTheBatch) && one_number(shape.input)
    })
}

/// In a batch of one image, each such number is its own mean: the normalised number is 0, and the layer's output is its shift.
fn of_one(experiment: &Experiment) -> Option<Warning> {
    let index = of_one_number(experiment)?;
    let (images, batch) = (experiment.dataset.images, experiment.training.batch_size);
    let always = batch == 1;
    if !always && images % batch != 1 {
        return None;
    }
    let when = match always {
        true => "Each batch has one image: in",
        false => "The last batch of an epoch has one image: there, in",
    };
    let message = format!(
        "{when} “{}” each number is its own mean, and nothing of the image is left: the output is only the layer's shift, 0 at the start, and a ReLU after it gets no gradient. Use a batch size that leaves no batch of one image.",
        experiment.network.layers[index].name()
    );
    let warning = Warning::new(BATCH_OF_ONE, "training.batch_size", message);
    // The cure is one batch of all images: the means of two or three images are too noisy for ten right epochs in a row.
    Some(match images {
        1 => warning,
        _ => warning.cured_by("training.batch_size", images),
    })
}

macro_rules! block {
    () => {
        r#"{"type":"conv2d","filters":16,"padding":"same"},{"type":"batch_norm","momentum":0.5},{"type":"activation","activation":"relu"},"#
    };
}

pub(super) const CAUSES: &[Cause] = &[Cause {
    code: "batch-norm-lag",
    sign: AVERAGES_LAG,
    name: "Batch norm's averages lag",
    summary: "Six batch norms of momentum 0.99, three images",
    sees: "Training accuracy is 100 %, but the same images are wrong in inference.",
    does: "The moving averages start from 0 and 1 and have not caught up after 60 steps: the loss in inference stays near ln 3 = 1.0986.",
    mends: "Use a momentum of 0.5 to test memorising (PyTorch's is 1 minus this, also 0.5), or many more steps.",
    level: Level::WrongInInference,
    healthy: &[
        ("dataset.side", "16"),
        ("dataset.images", "3"),
        ("dataset.classes", "3"),
        (
            "network.layers",
            concat!(
                "[",
                block!(),
                block!(),
                block!(),
                block!(),
                block!(),
                block!(),
                r#"{"type":"max_pool"},{"type":"flatten"},{"type":"dense","units":3,"activation":"softmax"}]"#
            ),
        ),
        ("training.epochs", "60"),
    ],
    mistake: &[
        ("network.layers[1].momentum", "0.99"),
        ("network.layers[4].momentum", "0.99"),
        ("network.layers[7].momentum", "0.99"),
        ("network.layers[10].momentum", "0.99"),
        ("network.layers[13].momentum", "0.99"),
        ("network.layers[16].momentum", "0.99"),
    ],
}];
