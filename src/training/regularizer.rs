//! The penalty on large weights that is added to the loss: Keras' `regularizers.L1L2` of every kernel and bias.

use burn::tensor::Tensor;

use crate::experiment::RegularizerConfig;
use crate::network::{Network, Role, Variable};
use crate::probes;

/// The penalty strengths of one variable: for the sum of magnitudes and for the sum of squares.
fn strengths(config: &RegularizerConfig, variable: &Variable) -> [f64; 2] {
    match variable.role {
        Role::Kernel => [config.l1, config.l2],
        Role::Bias => [0.0, config.bias_l2],
        Role::Gamma | Role::Beta | Role::MovingMean | Role::MovingVariance => [0.0, 0.0],
    }
}

/// `l1 sum |w| + l2 sum w^2` over all variables.
pub fn penalty(config: &RegularizerConfig, network: &Network) -> f64 {
    let of_variable = |variable: &Variable| {
        let [l1, l2] = strengths(config, variable);
        let weights = || variable.value.clone().inner();
        let magnitudes = if l1 == 0.0 { 0.0 } else { l1 * probes::sum_of_magnitudes(weights()) };
        let squares = if l2 == 0.0 { 0.0 } else { l2 * probes::sum_of_squares(weights()) };
        magnitudes + squares
    };
    network.trainable().map(of_variable).sum()
}

/// Adds the penalty's gradient, `l1 sign(w) + 2 l2 w`, to the gradient of each trainable variable.
pub fn add_gradients(
    config: &RegularizerConfig,
    network: &Network,
    gradients: Vec<Tensor<1>>,
) -> Vec<Tensor<1>> {
    let pairs = network.trainable().zip(gradients);
    let all = pairs.map(|(variable, mut gradient)| {
        let [l1, l2] = strengths(config, variable);
        let weights = || variable.value.clone().inner();
        if l1 != 0.0 {
            gradient = gradient + weights().sign() * l1;
        }
        if l2 != 0.0 {
            gradient = gradient + weights() * (2.0 * l2);
        }
        gradient
    });
    all.collect()
}
