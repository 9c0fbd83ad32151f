//! Initial weights by Keras' rules, frozen layers, and penalties.

use super::layers::Model;
use crate::experiment::{
    ConstraintConfig, Experiment, InitializerConfig, KernelInitializer, LayerConfig,
    RegularizerConfig,
};
use crate::script::text::Script;

/// Initialises every kernel and bias.
pub fn initialise(script: &mut Script, experiment: &Experiment, model: &Model) {
    let InitializerConfig { kernel, factor, bias } = &experiment.network.initializer;
    let layers = &experiment.network.layers;
    let biases: Vec<bool> = layers.iter().filter_map(LayerConfig::use_bias).collect();
    let start = |script: &mut Script, indent: &str, kernel: &KernelInitializer, fans: [&str; 3]| {
        for line in kernel_lines(kernel, fans) {
            script.add(format_args!("{indent}{line}"));
        }
        if *factor != 1.0 && *kernel != (KernelInitializer::Zeros {}) {
            script.add(format_args!("{indent}layer.weight.data *= {factor:?}"));
        }
    };
    let start_bias =
        |script: &mut Script, indent: &str, kernel: &KernelInitializer, fan_in: &str| {
            if kernel.draws_biases() {
                let limit = format!("{factor:?} / ({fan_in}) ** 0.5");
                script.add(format_args!("{indent}limit = {limit}"));
                let ends = match *bias {
                    0.0 => "-limit, limit".to_string(),
                    bias => format!("{bias:?} - limit, {bias:?} + limit"),
                };
                script.add(format_args!("{indent}nn.init.uniform_(layer.bias, {ends})"));
            } else if *bias == 0.0 {
                script.add(format_args!("{indent}nn.init.zeros_(layer.bias)"));
            } else {
                script.add(format_args!("{indent}nn.init.constant_(layer.bias, {bias:?})"));
            }
        };
    let branch = |script: &mut Script, class: &str, fans: [&str; 3]| {
        script.add(format_args!("    if isinstance(layer, {class}):"));
        start(script, "        ", kernel, fans);
        if !biases.contains(&true) {
            return;
        }
        if biases.contains(&false) {
            script.line("        if layer.bias is not None:");
            start_bias(script, "            ", kernel, fans[0]);
        } else {
            start_bias(script, "        ", kernel, fans[0]);
        }
    };
    let of_module = ["layer.weight[0].numel()", "layer.weight[:, 0].numel()", "named"];
    let of_places = ["layer.fans[0]", "layer.fans[1]", ""];
    let has_kernels = model.plain_kernel_classes().is_some() || model.is_locally_connected();
    if has_kernels {
        script.line("# Initial weights by the experiment's rule; PyTorch's default differs.");
        script.line("for layer in model.modules():");
    }
    if let Some(classes) = model.plain_kernel_classes() {
        branch(script, &classes, of_module);
    }
    if model.is_locally_connected() {
        branch(script, "LocallyConnected", of_places);
    }
    for (index, layer) in layers.iter().enumerate() {
        let (Some(own), Some(name)) = (layer.kernel_initializer(), model.name_of(index)) else {
            continue;
        };
        let by_place = matches!(layer, LayerConfig::LocallyConnected { .. });
        let fans = if by_place { of_places } else { of_module };
        script.add(format_args!("layer = {name}"));
        start(script, "", &own, fans);
        if layer.use_bias() == Some(true) && own.draws_biases() != kernel.draws_biases() {
            start_bias(script, "", &own, fans[0]);
        }
    }
}

/// Lists the frozen layers, and the kernels and biases that penalties and constraints use.
pub fn name(script: &mut Script, experiment: &Experiment, model: &Model) {
    if experiment.is_frozen_entirely() {
        return;
    }
    let frozen: Vec<&str> = model.frozen(experiment).map(|(_, name)| name).collect();
    let mut only = "";
    if !frozen.is_empty() {
        only = " and layer not in frozen";
        script.line("# The mistake: the optimizer does not update the weights of some layers.");
        script.add(format_args!("frozen = [{}]", frozen.join(", ")));
        script.line("given = [layer for layer in model.modules() if layer not in frozen]");
        script.line("parameters = [weight for layer in given for weight in layer.parameters(recurse=False)]");
    }
    let RegularizerConfig { l1, l2, bias_l2 } = experiment.network.regularizer;
    let classes = model.kernel_classes();
    let mut list = |what: &str, of_layer: &str, only: &str| {
        script.add(format_args!(
            "layers = [layer for layer in model.modules() if isinstance(layer, {classes}){only}]"
        ));
        script.add(format_args!("{what} = [{of_layer} for layer in layers]"));
    };
    if l1 != 0.0 || l2 != 0.0 || experiment.network.constraint != (ConstraintConfig::None {}) {
        list("kernels", "layer.weight", only);
    }
    if bias_l2 != 0.0 {
        list("biases", "layer.bias", &format!("{only} and layer.bias is not None"));
    }
    let sums = [
        (l1, "kernel.abs().sum() for kernel in kernels"),
        (l2, "kernel.square().sum() for kernel in kernels"),
        (bias_l2, "bias.square().sum() for bias in biases"),
    ];
    let sums = sums.iter().filter(|(strength, _)| *strength != 0.0);
    let sums: Vec<_> = sums.map(|(strength, sum)| format!("{strength:?} * sum({sum})")).collect();
    if !sums.is_empty() {
        script.apart();
        script.lines(
            "def penalty():\n    \"\"\"The penalty that Keras' regularizers add to the loss.\"\"\"",
        );
        script.add(format_args!("    return {}", sums.join(" + ")));
        script.apart();
    }
}

/// Whether a penalty is added to the loss.
pub fn is_regularised(experiment: &Experiment) -> bool {
    let RegularizerConfig { l1, l2, bias_l2 } = experiment.network.regularizer;
    [l1, l2, bias_l2] != [0.0; 3] && !experiment.is_frozen_entirely()
}

/// The Python lines that initialise a kernel. The array holds Python expressions for fan-in and fan-out, and any text where
/// PyTorch's functions count the fans correctly.
fn kernel_lines(kernel: &KernelInitializer, [fan_in, fan_out, named]: [&str; 3]) -> Vec<String> {
    let average = format!("2 / ({fan_in} + {fan_out})");
    let uniform = |variance: &str, name: &str| {
        if !named.is_empty() {
            return vec![format!("nn.init.{name}")];
        }
        vec![
            format!("limit = (3 * {variance}) ** 0.5"),
            "nn.init.uniform_(layer.weight, -limit, limit)".into(),
        ]
    };
    let normal = |variance: &str| {
        vec![
            "# Truncated at two deviations; the division keeps the variance.".into(),
            format!("deviation = ({variance}) ** 0.5 / 0.87962566"),
            "nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)"
                .into(),
        ]
    };
    match kernel {
        KernelInitializer::GlorotUniform {} => uniform(&average, "xavier_uniform_(layer.weight)"),
        KernelInitializer::HeUniform {} => uniform(
            &format!("2 / {fan_in}"),
            "kaiming_uniform_(layer.weight, nonlinearity=\"relu\")",
        ),
        KernelInitializer::LecunUniform {} => uniform(
            &format!("1 / {fan_in}"),
            "kaiming_uniform_(layer.weight, nonlinearity=\"linear\")",
        ),
        KernelInitializer::GlorotNormal {} => normal(&average),
        KernelInitializer::HeNormal {} => normal(&format!("2 / {fan_in}")),
        KernelInitializer::LecunNormal {} => normal(&format!("1 / {fan_in}")),
        KernelInitializer::RandomUniform { limit } => {
            vec![format!("nn.init.uniform_(layer.weight, -{limit:?}, {limit:?})")]
        }
        KernelInitializer::RandomNormal { stddev } => {
            vec![format!("nn.init.normal_(layer.weight, std={stddev:?})")]
        }
        KernelInitializer::TruncatedNormal { stddev } => {
            let ends = format!("a=-{0:?}, b={0:?}", 2.0 * stddev);
            vec![format!("nn.init.trunc_normal_(layer.weight, std={stddev:?}, {ends})")]
        }
        // PyTorch writes this rule as a He rule with a slope of the root of 5.
        KernelInitializer::PytorchDefault {} => {
            uniform(&format!("1 / (3 * {fan_in})"), "kaiming_uniform_(layer.weight, a=5**0.5)")
        }
        KernelInitializer::Zeros {} => vec!["nn.init.zeros_(layer.weight)".into()],
        KernelInitializer::Constant { value } => {
            vec![format!("nn.init.constant_(layer.weight, {value:?})")]
        }
    }
}
