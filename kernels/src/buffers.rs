//! Memory that is allocated once and reused in every step: the buffer of a dropped tensor goes back on its shelf.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Shelves of unused buffers. Clones share them.
///
/// The sizes of a network's tensors are the same in every step, so after the first epoch, whose last batch may be smaller,
/// nothing more is allocated.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    floats: Arc<Shelves<f32>>,
    bytes: Arc<Shelves<u8>>,
    terms: Arc<Shelves<Term>>,
}

/// A place and the number that belongs to it.
pub type Term = (u32, f32);

type Shelves<T> = Mutex<HashMap<usize, Vec<Vec<T>>>>;

impl Buffers {
    /// A buffer of `count` floats of any values.
    pub fn floats(&self, count: usize) -> Buffer<f32> {
        Buffer::take(&self.floats, count)
    }

    pub fn zeros(&self, count: usize) -> Buffer<f32> {
        let mut buffer = self.floats(count);
        buffer.fill(0.0);
        buffer
    }

    /// A buffer of `count` bytes of any values.
    pub fn bytes(&self, count: usize) -> Buffer<u8> {
        Buffer::take(&self.bytes, count)
    }

    /// A buffer of `count` terms of any values.
    pub fn terms(&self, count: usize) -> Buffer<Term> {
        Buffer::take(&self.terms, count)
    }
}

/// A slice that goes back to its shelf when it is dropped.
#[derive(Debug)]
pub struct Buffer<T> {
    values: Vec<T>,
    home: Arc<Shelves<T>>,
}

impl<T: Copy + Default> Buffer<T> {
    fn take(home: &Arc<Shelves<T>>, count: usize) -> Self {
        let mut shelves = home.lock().unwrap_or_else(PoisonError::into_inner);
        let values = shelves.get_mut(&count).and_then(Vec::pop);
        Self { values: values.unwrap_or_else(|| vec![T::default(); count]), home: home.clone() }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        let mut shelves = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.entry(values.len()).or_default().push(values);
    }
}
