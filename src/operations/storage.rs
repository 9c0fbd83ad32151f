//! Tensors of Burn's CPU backend as slices, and buffers as tensors.

use std::mem::MaybeUninit;

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{AllocationProperty, Bytes, DType, Shape};
use burn_std::{AccessError, AccessPolicy, AllocationController};

use crate::kernels::buffers::Buffer;

/// A tensor whose floats are contiguous in memory and fill its storage.
pub fn contiguous(tensor: FlexTensor) -> FlexTensor {
    let layout = tensor.layout();
    let whole = layout.is_contiguous()
        && layout.start_offset() == 0
        && tensor.storage::<f32>().len() == layout.num_elements();
    if whole { tensor } else { tensor.to_contiguous() }
}

/// The floats of a [`contiguous`] tensor.
pub fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.storage()
}

/// A tensor in a buffer. The buffer returns to its shelf when the tensor's last clone is dropped.
pub fn tensor(buffer: Buffer<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let bytes = size_of_val::<[f32]>(&buffer);
    // SAFETY: the buffer holds this many bytes, all of them initialised.
    let bytes = unsafe { Bytes::from_controller(Box::new(Shelved(buffer)), bytes) };
    FlexTensor::new(bytes, Layout::contiguous(shape.into()), DType::F32)
}

/// A buffer as Burn's storage.
struct Shelved(Buffer<f32>);

impl AllocationController for Shelved {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let values: &[f32] = &self.0;
        // SAFETY: the slice covers exactly the bytes of these floats and is borrowed as long as they are.
        Ok(unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) })
    }

    unsafe fn memory_mut(
        &mut self,
        _policy: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let values: &mut [f32] = &mut self.0;
        let bytes = size_of_val(values);
        // SAFETY: the slice covers exactly the bytes of these floats and is borrowed as long as they are. The caller writes
        // initialised bytes only, and every pattern of bits is a float.
        Ok(unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), bytes) })
    }
}
