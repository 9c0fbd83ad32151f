//! What computes: the only file that names a Burn backend.

use burn::tensor::Device;
use serde::Serialize;
use tsify::Tsify;

use crate::experiment::InvalidField;

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
    BackendInfo { id: "flex", name: "Burn flex" },
    #[cfg(feature = "ndarray")]
    BackendInfo { id: "ndarray", name: "Burn ndarray" },
];

/// The default backend's id.
pub fn default_backend() -> &'static str {
    BACKENDS[0].id
}

/// The device that tensors live on, with gradients enabled.
pub fn device(id: &str) -> Result<Device, InvalidField> {
    match id {
        "flex" => Ok(Device::flex().autodiff()),
        #[cfg(feature = "ndarray")]
        // Deprecated upstream; kept as an independent second implementation.
        #[allow(deprecated)]
        "ndarray" => Ok(Device::ndarray().autodiff()),
        _ => {
            let ids: Vec<_> = BACKENDS.iter().map(|backend| backend.id).collect();
            Err(InvalidField::new("backend", "Backend", id, format!("one of {}", ids.join(", "))))
        }
    }
}
