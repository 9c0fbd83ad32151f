//! The PyTorch model.

use crate::experiment::{
    Activation, Border, Experiment, LayerConfig, Padding, Shape, Window, layer_shapes,
};
use crate::script::text::Script;

/// The layers as modules, in parts that end at each `save` and `add_saved`.
pub struct Model {
    parts: Vec<Part>,
    /// For each layer with weights, the layer's index in the experiment's list and its Python expression.
    weighted: Vec<(usize, String)>,
    /// The PyTorch classes of the layers with kernels.
    with_kernels: Vec<&'static str>,
    /// The classes that the script has to define.
    classes: Vec<&'static str>,
}

#[derive(Default)]
struct Part {
    modules: Vec<String>,
    /// The statement after the part in `forward`.
    then: Option<&'static str>,
}

impl Model {
    /// The modules of the experiment's layers; `without_head` leaves out the last activation, which is then part of the loss.
    pub fn of(experiment: &Experiment, without_head: bool) -> Self {
        let layers = &experiment.network.layers;
        let shapes = layer_shapes(&experiment.network, &experiment.dataset).unwrap_or_default();
        let residual = layers.contains(&LayerConfig::Save {});
        let mut model = Self {
            parts: vec![Part::default()],
            weighted: Vec::new(),
            with_kernels: Vec::new(),
            classes: Vec::new(),
        };
        for (index, (layer, shape)) in layers.iter().zip(shapes).enumerate() {
            let then = match layer {
                LayerConfig::Save {} => Some("saved = x"),
                LayerConfig::AddSaved {} => Some("x = x + saved"),
                _ => None,
            };
            let number = model.parts.len() - 1;
            let part = model.parts.last_mut().expect("never empty");
            if then.is_some() {
                part.then = then;
                model.parts.push(Part::default());
                continue;
            }
            let [padding, module] = modules(layer, shape.input);
            part.modules.extend(padding);
            if layer.has_weights() {
                let part_name =
                    if residual { format!("model.part_{number}") } else { "model".into() };
                model.weighted.push((index, format!("{part_name}[{}]", part.modules.len())));
            }
            for class in OWN_CLASSES.map(|(name, _)| name) {
                if module.as_ref().is_some_and(|module| module.starts_with(class)) {
                    model.classes.push(class);
                }
            }
            part.modules.extend(module);
            if matches!(layer, LayerConfig::GlobalMaxPool {} | LayerConfig::GlobalAveragePool {}) {
                part.modules.push("nn.Flatten()".into());
            }
            if let Some(kind) = layer.activation()
                && !(without_head && index == layers.len() - 1)
            {
                part.modules.push(activation(kind).into());
            }
            model.with_kernels.extend(match layer {
                LayerConfig::Conv2d { .. } => Some("nn.Conv2d"),
                LayerConfig::Dense { .. } => Some("nn.Linear"),
                _ => None,
            });
        }
        model.with_kernels.sort();
        model.with_kernels.dedup();
        model
    }

    /// PyTorch's classes with kernels, as the argument of `isinstance`.
    pub fn plain_kernel_classes(&self) -> Option<String> {
        (!self.with_kernels.is_empty()).then(|| one_or_more(&self.with_kernels))
    }

    /// The same with the script's own classes.
    pub fn kernel_classes(&self) -> String {
        let own = self.is_locally_connected().then_some(LOCALLY_CONNECTED);
        one_or_more(&self.with_kernels.iter().copied().chain(own).collect::<Vec<_>>())
    }

    /// The frozen layers: their indices in the experiment's list and their Python expressions.
    pub fn frozen(&self, experiment: &Experiment) -> impl Iterator<Item = (usize, &str)> {
        let weighted = self.weighted.iter().map(|(index, name)| (*index, name.as_str()));
        weighted.filter(|(index, _)| experiment.is_frozen(*index))
    }

    /// The Python expression of the layer at this index of the experiment's list; `None` for a layer without weights.
    pub fn name_of(&self, index: usize) -> Option<&str> {
        let mut weighted = self.weighted.iter();
        weighted.find(|(weighted, _)| *weighted == index).map(|(_, name)| name.as_str())
    }

    /// Whether the model has a locally connected layer, whose fans PyTorch would count differently.
    pub fn is_locally_connected(&self) -> bool {
        self.classes.contains(&LOCALLY_CONNECTED)
    }

    /// Defines the layers that PyTorch does not have, and the model's class where there are residual connections.
    pub fn define_classes(&self, script: &mut Script) {
        for (class, text) in OWN_CLASSES {
            if self.classes.contains(&class) {
                script.define(text);
            }
        }
        if self.parts.len() == 1 {
            return;
        }
        script.apart();
        script.lines(
            "class Network(nn.Module):\n    def __init__(self):\n        super().__init__()",
        );
        for (number, part) in self.parts.iter().enumerate() {
            if !part.modules.is_empty() {
                script.add(format_args!("        self.part_{number} = nn.Sequential("));
                for module in &part.modules {
                    script.add(format_args!("            {module},"));
                }
                script.line("        )");
            }
        }
        script.lines("\n    def forward(self, x):");
        for (number, part) in self.parts.iter().enumerate() {
            if !part.modules.is_empty() {
                script.add(format_args!("        x = self.part_{number}(x)"));
            }
            if let Some(then) = part.then {
                script.add(format_args!("        {then}"));
            }
        }
        script.line("        return x");
        script.apart();
    }

    pub fn make(&self, script: &mut Script) {
        let mut modules = self.parts.iter().flat_map(|part| &part.modules);
        if modules.any(|module| module.starts_with("nn.BatchNorm")) {
            script.line(
                "# PyTorch's momentum is 1 minus Keras', and its running variance is unbiased.",
            );
        }
        match &self.parts[..] {
            [part] => script.long_call("model = nn.Sequential(", &part.modules, ")"),
            _ => script.line("model = Network()"),
        }
    }
}

fn one_or_more(classes: &[&str]) -> String {
    match classes {
        [class] => (*class).into(),
        _ => format!("({})", classes.join(", ")),
    }
}

/// A padding module where the layer needs one, and the layer's module without its activation.
fn modules(layer: &LayerConfig, input: Shape) -> [Option<String>; 2] {
    let channels = input.units();
    let (is_image, height, width) = match input {
        Shape::Image([height, width, _]) => (true, height, width),
        Shape::Flat(_) => (false, 0, 0),
    };
    let module = match *layer {
        LayerConfig::Conv2d { filters, kernel, strides, padding, use_bias, .. } => {
            let window = Window { size: kernel, strides, padding };
            let mut options = usual(strides, 1);
            let mut pads = None;
            if padding == Padding::Same && strides == 1 {
                options.push_str(", padding=\"same\"");
            } else {
                pads = padded(window.border(height, width), &mut options, "nn.ZeroPad2d", "");
            }
            let bias = bias(use_bias);
            return [
                pads,
                Some(format!("nn.Conv2d({channels}, {filters}, {kernel}{options}{bias})")),
            ];
        }
        LayerConfig::MaxPool { pool, strides, padding } => {
            let border = Window { size: pool, strides, padding }.border(height, width);
            let mut options = usual(strides, pool);
            let pads = padded(border, &mut options, "nn.ConstantPad2d", ", float(\"-inf\")");
            return [pads, Some(format!("nn.MaxPool2d({pool}{options})"))];
        }
        LayerConfig::AveragePool { pool, strides, padding } => {
            let border = Window { size: pool, strides, padding }.border(height, width);
            let stride = usual(strides, pool);
            match both_ends(border) {
                None => format!("AveragePool({pool}, {strides}, {})", four(border)),
                Some(zeros) if zeros.is_empty() => format!("nn.AvgPool2d({pool}{stride})"),
                Some(zeros) => format!(
                    "nn.AvgPool2d({pool}{stride}, padding={zeros}, count_include_pad=False)"
                ),
            }
        }
        LayerConfig::GlobalMaxPool {} => "nn.AdaptiveMaxPool2d(1)".into(),
        LayerConfig::GlobalAveragePool {} => "nn.AdaptiveAvgPool2d(1)".into(),
        LayerConfig::Flatten {} => "nn.Flatten()".into(),
        LayerConfig::Dense { units, use_bias, .. } => {
            format!("nn.Linear({}, {units}{})", input.size(), bias(use_bias))
        }
        LayerConfig::BatchNorm { momentum, epsilon } => {
            let dimensions = if is_image { 2 } else { 1 };
            // Rounded to twelve digits, so that 1 - 0.9 is 0.1.
            let momentum = ((1.0 - momentum) * 1e12).round() / 1e12;
            format!("nn.BatchNorm{dimensions}d({channels}, eps={epsilon:?}, momentum={momentum:?})")
        }
        LayerConfig::LayerNorm { epsilon } => {
            let class = if is_image { CHANNEL_NORM } else { "nn.LayerNorm" };
            format!("{class}({channels}, eps={epsilon:?})")
        }
        LayerConfig::GroupNorm { groups, epsilon } => {
            format!("nn.GroupNorm({groups}, {channels}, eps={epsilon:?})")
        }
        LayerConfig::Dropout { rate } => format!("nn.Dropout({rate:?})"),
        LayerConfig::LeakyRelu { negative_slope } => format!("nn.LeakyReLU({negative_slope:?})"),
        LayerConfig::LocallyConnected { filters, kernel, use_bias, .. } => {
            format!(
                "{LOCALLY_CONNECTED}({channels}, {filters}, {kernel}, ({height}, {width}){})",
                bias(use_bias)
            )
        }
        LayerConfig::Reshape {}
        | LayerConfig::Activation { .. }
        | LayerConfig::Save {}
        | LayerConfig::AddSaved {} => return [None, None],
    };
    [None, Some(module)]
}

fn usual(strides: u32, usual: u32) -> String {
    if strides == usual { String::new() } else { format!(", stride={strides}") }
}

fn bias(use_bias: bool) -> &'static str {
    if use_bias { "" } else { ", bias=False" }
}

/// Adds the padding to the layer's options where it is the same at both ends of each axis; otherwise returns a padding module.
fn padded(border: Border, options: &mut String, class: &str, value: &str) -> Option<String> {
    let Some(zeros) = both_ends(border) else {
        return Some(format!("{class}({}{value})", four(border)));
    };
    if !zeros.is_empty() {
        options.push_str(&format!(", padding={zeros}"));
    }
    None
}

/// The padding as an argument of PyTorch's layers, which pad both ends of an axis alike: empty without padding, `None` where the
/// ends differ.
fn both_ends(border: Border) -> Option<String> {
    let Border { top, bottom, left, right } = border;
    ((top, left) == (bottom, right)).then(|| match (top, left) {
        (0, 0) => String::new(),
        (rows, columns) if rows == columns => rows.to_string(),
        (rows, columns) => format!("({rows}, {columns})"),
    })
}

/// The padding as an argument of PyTorch's functions, the last axis first.
fn four(border: Border) -> String {
    let Border { top, bottom, left, right } = border;
    format!("({left}, {right}, {top}, {bottom})")
}

fn activation(kind: Activation) -> &'static str {
    match kind {
        Activation::Relu => "nn.ReLU()",
        Activation::LeakyRelu => "nn.LeakyReLU(0.2)",
        Activation::Elu => "nn.ELU()",
        Activation::Gelu => "nn.GELU()",
        Activation::Silu => "nn.SiLU()",
        Activation::Tanh => "nn.Tanh()",
        Activation::Sigmoid => "nn.Sigmoid()",
        Activation::Softmax => "nn.Softmax(dim=1)",
    }
}

const LOCALLY_CONNECTED: &str = "LocallyConnected";
const CHANNEL_NORM: &str = "ChannelNorm";

const OWN_CLASSES: [(&str, &str); 3] = [
    (
        LOCALLY_CONNECTED,
        r#"class LocallyConnected(nn.Module):
    """A convolution with its own weights at each place."""

    def __init__(self, channels, filters, size, image, bias=True):
        super().__init__()
        self.size, self.places = size, (image[0] - size + 1, image[1] - size + 1)
        self.fans = channels * size**2, filters * size**2
        places = self.places[0] * self.places[1]
        self.weight = nn.Parameter(torch.empty(filters, places, channels * size**2))
        self.bias = nn.Parameter(torch.empty(filters, places)) if bias else None

    def forward(self, x):
        windows = nn.functional.unfold(x, self.size)
        y = torch.einsum("nwp,fpw->nfp", windows, self.weight)
        return (y if self.bias is None else y + self.bias).unflatten(2, self.places)"#,
    ),
    (
        CHANNEL_NORM,
        r#"class ChannelNorm(nn.LayerNorm):
    """Normalises over the channels of each pixel, as Keras' LayerNormalization."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)"#,
    ),
    (
        "AveragePool",
        r#"class AveragePool(nn.Module):
    """The mean of each window's pixels without padding; an odd pixel of padding follows the image."""

    def __init__(self, pool, stride, padding):
        super().__init__()
        self.pool, self.stride, self.padding = pool, stride, padding

    def means(self, x):
        return nn.functional.avg_pool2d(nn.functional.pad(x, self.padding), self.pool, self.stride)

    def forward(self, x):
        return self.means(x) / self.means(torch.ones_like(x))"#,
    ),
];
