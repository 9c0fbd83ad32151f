//! The rule of what one kernel computes together: a ReLU and a max-pool with the convolution before them, a ReLU with a dense
//! layer, locally connected layer or batch normalisation before it.

use super::Window;
use crate::kernels::convolution::LARGEST_POOL;

/// A step of a network, as far as it matters to the step after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fusible {
    /// A convolution, alone or with a ReLU.
    Convolution,
    /// A step whose kernel can end with a ReLU, but not with a pool.
    BeforeRelu,
    /// A step that has to stay alone.
    Alone,
}

impl Fusible {
    /// Whether a ReLU after the step is joined with it.
    pub fn takes_relu(self) -> bool {
        match self {
            Self::Convolution | Self::BeforeRelu => true,
            Self::Alone => false,
        }
    }

    /// Whether a max-pool after the step is joined with it.
    pub fn takes_pool(self, window: Window) -> bool {
        let fits = window.lies_side_by_side() && window.size as usize <= LARGEST_POOL;
        self == Self::Convolution && fits
    }
}
