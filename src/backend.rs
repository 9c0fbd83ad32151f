//! What computes: which of Burn's backends, and whether with the crate's own kernels.

use burn::tensor::Device;
use serde::Serialize;
use tsify::Tsify;

use crate::experiment::InvalidField;
use crate::kernels::buffers::Buffers;

/// A backend as a person chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct BackendInfo {
    #[tsify(type = "string")]
    pub id: &'static str,
    #[tsify(type = "string")]
    pub name: &'static str,
}

/// The backends of this build, the default first.
pub const BACKENDS: &[BackendInfo] = &[
    BackendInfo { id: "flex", name: "Fast kernels on Burn flex" },
    #[cfg(feature = "plain")]
    BackendInfo { id: "flex-plain", name: "Burn flex" },
    #[cfg(feature = "ndarray")]
    BackendInfo { id: "ndarray", name: "Burn ndarray" },
];

/// Stands where only a backend without the crate's kernels comes by. Where none is compiled in, what follows is left out, too.
#[inline(always)]
pub fn without_kernels() {
    if !cfg!(feature = "plain") {
        unreachable!("no backend without kernels can be opened");
    }
}

/// The default backend's id.
pub fn default_backend() -> &'static str {
    BACKENDS[0].id
}

/// What a training session computes on.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where tensors live, with gradients enabled.
    pub device: Device,
    /// The memory of the crate's own kernels, where they are used; a session's tensors share it.
    pub buffers: Option<Buffers>,
}

/// A backend to compute on, with memory of its own.
pub fn open(id: &str) -> Result<Backend, InvalidField> {
    let (device, fast) = match id {
        "flex" => (Device::flex(), true),
        #[cfg(feature = "plain")]
        "flex-plain" => (Device::flex(), false),
        #[cfg(feature = "ndarray")]
        // Deprecated upstream; kept as an independent second implementation.
        #[allow(deprecated)]
        "ndarray" => (Device::ndarray(), false),
        _ => {
            let ids: Vec<_> = BACKENDS.iter().map(|backend| backend.id).collect();
            let expected = format!("one of {}", ids.join(", "));
            return Err(InvalidField::new("backend", "Backend", id, expected));
        }
    };
    let buffers = fast.then(Buffers::default);
    Ok(Backend { device: device.autodiff(), buffers })
}
