//! The choice of Burn's backend, with or without the crate's kernels.

use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;
use tsify::Tsify;

use crate::experiment::InvalidField;
use crate::kernels::buffers::Buffers;
use crate::kernels::lanes::Instructions;

/// A backend's id and name, for a list of backends.
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

/// The default backend's id.
pub fn default_backend() -> &'static str {
    BACKENDS[0].id
}

/// The backend of a training session.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The device of the tensors, with autodiff enabled.
    pub device: Device,
    pub compute: Compute,
}

/// The implementation of the layers that the crate has kernels for.
#[derive(Clone, Debug)]
pub enum Compute {
    /// The crate's kernels, with the memory that a session's tensors share.
    Kernels(Buffers),
    /// Burn's own operations. The published site is built without them, which makes its wasm smaller.
    #[cfg(feature = "plain")]
    Burn,
}

impl Compute {
    pub fn has_kernels(&self) -> bool {
        matches!(self, Self::Kernels(_))
    }
}

/// Makes the kernels compute with portable instructions from now on, in the whole program; see [`Instructions::prefer_portable`].
pub fn prefer_portable() {
    Instructions::prefer_portable();
}

/// A tensor of these numbers. Burn's own `from_data` also converts every other type of number, and its code is 5 % of the wasm.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    let data = TensorData::new(values, shape);
    Tensor::from_dispatch(Dispatch::float_from_data(data, device.as_dispatch()))
}

/// An untracked tensor with `change` applied to each number. Operations that few runs need go this way: each of Burn's own brings
/// kilobytes of code.
pub fn mapped<const D: usize>(values: Tensor<D>, change: impl Fn(f32) -> f32) -> Tensor<D> {
    let (shape, device) = (values.dims(), values.device());
    tensor(floats(values.into_data()).into_iter().map(change).collect(), shape, &device)
}

/// The numbers of a tensor's data.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("every tensor here holds f32")
}

/// Opens a backend, with its own memory.
pub fn open(id: &str) -> Result<Backend, InvalidField> {
    let (device, compute) = match id {
        "flex" => (Device::flex(), Compute::Kernels(Buffers::default())),
        #[cfg(feature = "plain")]
        "flex-plain" => (Device::flex(), Compute::Burn),
        #[cfg(feature = "ndarray")]
        // Deprecated upstream; kept as an independent second implementation.
        #[allow(deprecated)]
        "ndarray" => (Device::ndarray(), Compute::Burn),
        _ => {
            let ids: Vec<_> = BACKENDS.iter().map(|backend| backend.id).collect();
            let expected = format!("one of {}", ids.join(", "));
            return Err(InvalidField::new("backend", "Backend", id, expected));
        }
    };
    Ok(Backend { device: device.autodiff(), compute })
}
