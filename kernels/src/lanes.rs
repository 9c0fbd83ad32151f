//! Vectors of floats, and the instruction sets that provide them. Every other kernel is written once, over [`Lanes`].

use std::sync::atomic::{AtomicBool, Ordering};

/// Filters or units that are computed together. It does not depend on a vector's width: packed weights look the same everywhere.
pub const GROUP: usize = 16;

/// A vector of `COUNT` floats.
pub trait Lanes: Copy {
    const COUNT: usize;

    fn splat(value: f32) -> Self;

    /// # Safety
    /// `COUNT` floats can be read from `from` on.
    unsafe fn load(from: *const f32) -> Self;

    /// # Safety
    /// `COUNT` floats can be written from `to` on.
    unsafe fn store(self, to: *mut f32);

    fn add(self, other: Self) -> Self;

    fn sub(self, other: Self) -> Self;

    fn mul(self, other: Self) -> Self;

    fn div(self, other: Self) -> Self;

    fn sqrt(self) -> Self;

    /// `self + a * b`, rounded once on machines where that is as fast.
    fn add_product(self, a: Self, b: Self) -> Self;

    /// The sum of the lanes of each vector.
    fn sums(four: [Self; 4]) -> [f32; 4];

    /// `yes` where `value` is larger than `self` or NaN, `no` elsewhere.
    fn where_beaten(self, value: Self, yes: Self, no: Self) -> Self;

    /// `yes` where `self` is zero or less, `no` elsewhere, which includes NaN.
    fn where_cut(self, yes: Self, no: Self) -> Self;

    /// `self` where the byte of a lane is not 255, and zero elsewhere.
    ///
    /// # Safety
    /// `COUNT` bytes can be read from `bytes` on.
    unsafe fn where_not_255(self, bytes: *const u8) -> Self;

    /// The lanes of `V` vectors, a [`GROUP`] in all, as bytes: the bits of each lane are a whole number below 256.
    fn bytes<const V: usize>(vectors: [Self; V]) -> [u8; GROUP];
}

/// `V` consecutive vectors from `from[at]` on.
#[inline(always)]
pub fn load<L: Lanes, const V: usize>(from: &[f32], at: usize) -> [L; V] {
    let from = &from[at..][..V * L::COUNT];
    // SAFETY: the slice has `V` vectors.
    unsafe { load_unchecked(from, 0) }
}

/// [`load`] without its check, for callers that have checked a whole row.
///
/// # Safety
/// `from` has `V` vectors from `from[at]` on.
#[inline(always)]
pub unsafe fn load_unchecked<L: Lanes, const V: usize>(from: &[f32], at: usize) -> [L; V] {
    debug_assert!(at + V * L::COUNT <= from.len());
    // SAFETY: the caller's promise.
    std::array::from_fn(|v| unsafe { L::load(from.as_ptr().add(at + v * L::COUNT)) })
}

#[inline(always)]
pub fn store<L: Lanes, const V: usize>(vectors: [L; V], to: &mut [f32], at: usize) {
    let to = &mut to[at..][..V * L::COUNT];
    for (v, vector) in vectors.into_iter().enumerate() {
        // SAFETY: the slice has `V` vectors.
        unsafe { vector.store(to.as_mut_ptr().add(v * L::COUNT)) };
    }
}

/// A computation over vectors. The machine's registers hold a tile of `ROWS` by `VECTORS` sums and their factors; the
/// `VECTORS` vectors are a [`GROUP`] of floats in all.
pub trait Computation {
    type Output;

    /// Implementations must be `#[inline(always)]`: otherwise they are compiled without the chosen instructions.
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) -> Self::Output;
}

static PORTABLE: AtomicBool = AtomicBool::new(false);

/// The instructions that a computation is compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// Arrays of four floats, which compilers turn into the vectors that every machine of an architecture has.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    Portable,
    /// WebAssembly's vectors of 128 bits. A module with them runs only on machines that have them, so it needs no other code.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
    /// Vectors of 256 bits with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Instructions {
    /// All instructions that this machine has, the best first.
    pub fn all() -> &'static [Self] {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        {
            &[Self::Simd128]
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return &[Self::Avx2, Self::Portable];
            }
            &[Self::Portable]
        }
    }

    /// The best instructions of this machine, or the last of them after [`Instructions::prefer_portable`].
    pub fn best() -> Self {
        let all = Self::all();
        if PORTABLE.load(Ordering::Relaxed) { all[all.len() - 1] } else { all[0] }
    }

    /// From now on, [`Instructions::best`] returns the instructions that every machine of this architecture has, in the whole
    /// program. They add up as WebAssembly's do, four floats at a time and without fused multiply-add, so the sums have the same bits
    /// as in a browser.
    pub fn prefer_portable() {
        PORTABLE.store(true, Ordering::Relaxed);
    }

    /// The number of floats in a vector.
    pub fn width(self) -> usize {
        match self {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => 4,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 8,
        }
    }

    /// Runs a computation compiled to these instructions.
    ///
    /// # Panics
    /// If the machine does not have them.
    pub fn run<C: Computation>(self, computation: C) -> C::Output {
        match self {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => computation.run::<[f32; 4], 2, 4>(),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => computation.run::<simd128::Vector, 2, 4>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                assert!(Self::all().contains(&self), "this machine has no AVX2");
                // SAFETY: the machine has the instructions that the function is compiled for.
                unsafe { avx2::run(computation) }
            }
        }
    }
}

/// One float, for the rest at the end of a row.
impl Lanes for f32 {
    const COUNT: usize = 1;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        value
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { *to = self }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self / other
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }

    #[inline(always)]
    fn sums(four: [Self; 4]) -> [f32; 4] {
        four
    }

    #[inline(always)]
    fn where_beaten(self, value: Self, yes: Self, no: Self) -> Self {
        if value > self || value.is_nan() { yes } else { no }
    }

    #[inline(always)]
    fn where_cut(self, yes: Self, no: Self) -> Self {
        if self <= 0.0 { yes } else { no }
    }

    #[inline(always)]
    unsafe fn where_not_255(self, bytes: *const u8) -> Self {
        // SAFETY: the caller's promise.
        if unsafe { *bytes } == u8::MAX { 0.0 } else { self }
    }

    #[inline(always)]
    fn bytes<const V: usize>(vectors: [Self; V]) -> [u8; GROUP] {
        std::array::from_fn(|i| vectors[i].to_bits() as u8)
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Lanes for [f32; 4] {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise; an array of floats needs no more alignment than a float.
        unsafe { from.cast::<Self>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise; an array of floats needs no more alignment than a float.
        unsafe { to.cast::<Self>().write(self) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] + other[i])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] - other[i])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] / other[i])
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }

    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] + a[i] * b[i])
    }

    #[inline(always)]
    fn sums(four: [Self; 4]) -> [f32; 4] {
        four.map(|[a, b, c, d]| (a + b) + (c + d))
    }

    #[inline(always)]
    fn where_beaten(self, value: Self, yes: Self, no: Self) -> Self {
        std::array::from_fn(|i| self[i].where_beaten(value[i], yes[i], no[i]))
    }

    #[inline(always)]
    fn where_cut(self, yes: Self, no: Self) -> Self {
        std::array::from_fn(|i| self[i].where_cut(yes[i], no[i]))
    }

    #[inline(always)]
    unsafe fn where_not_255(self, bytes: *const u8) -> Self {
        // SAFETY: the caller's promise.
        let bytes = unsafe { bytes.cast::<[u8; 4]>().read() };
        std::array::from_fn(|i| if bytes[i] == u8::MAX { 0.0 } else { self[i] })
    }

    #[inline(always)]
    fn bytes<const V: usize>(vectors: [Self; V]) -> [u8; GROUP] {
        std::array::from_fn(|i| vectors[i / 4][i % 4].to_bits() as u8)
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use super::{GROUP, Lanes};
    use std::arch::wasm32::{
        f32x4_add, f32x4_div, f32x4_gt, f32x4_le, f32x4_mul, f32x4_ne, f32x4_splat, f32x4_sqrt,
        f32x4_sub, i8x16_eq, i8x16_splat, i16x8_extend_low_i8x16, i16x8_narrow_i32x4,
        i32x4_extend_low_i16x8, i32x4_shuffle, u8x16_narrow_i16x8, v128, v128_andnot,
        v128_bitselect, v128_load, v128_load32_zero, v128_or, v128_store,
    };

    #[derive(Clone, Copy)]
    pub struct Vector(v128);

    impl Lanes for Vector {
        const COUNT: usize = 4;

        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self(f32x4_splat(value))
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise; wasm's loads need no alignment.
            Self(unsafe { v128_load(from.cast()) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise; wasm's stores need no alignment.
            unsafe { v128_store(to.cast(), self.0) }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            Self(f32x4_div(self.0, other.0))
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(f32x4_sqrt(self.0))
        }

        #[inline(always)]
        fn add_product(self, a: Self, b: Self) -> Self {
            Self(f32x4_add(self.0, f32x4_mul(a.0, b.0)))
        }

        #[inline(always)]
        fn sums([a, b, c, d]: [Self; 4]) -> [f32; 4] {
            let pairs = |a: v128, b: v128| {
                f32x4_add(i32x4_shuffle::<0, 4, 2, 6>(a, b), i32x4_shuffle::<1, 5, 3, 7>(a, b))
            };
            let (ab, cd) = (pairs(a.0, b.0), pairs(c.0, d.0));
            let sums =
                f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd));
            let mut values = [0.0; 4];
            // SAFETY: there is room for four floats.
            unsafe { Self(sums).store(values.as_mut_ptr()) };
            values
        }

        #[inline(always)]
        fn where_beaten(self, value: Self, yes: Self, no: Self) -> Self {
            let beaten = v128_or(f32x4_gt(value.0, self.0), f32x4_ne(value.0, value.0));
            Self(v128_bitselect(yes.0, no.0, beaten))
        }

        #[inline(always)]
        fn where_cut(self, yes: Self, no: Self) -> Self {
            Self(v128_bitselect(yes.0, no.0, f32x4_le(self.0, f32x4_splat(0.0))))
        }

        #[inline(always)]
        unsafe fn where_not_255(self, bytes: *const u8) -> Self {
            // SAFETY: the caller's promise; wasm's loads need no alignment.
            let bytes = unsafe { v128_load32_zero(bytes.cast()) };
            // The sign of a byte fills its lane.
            let lanes =
                i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(i8x16_eq(bytes, i8x16_splat(-1))));
            Self(v128_andnot(self.0, lanes))
        }

        #[inline(always)]
        fn bytes<const V: usize>(vectors: [Self; V]) -> [u8; GROUP] {
            let pair = |at: usize| i16x8_narrow_i32x4(vectors[at].0, vectors[at + 1].0);
            let all = u8x16_narrow_i16x8(pair(0), pair(2));
            let mut bytes = [0; GROUP];
            // SAFETY: the array has the bytes of one vector.
            unsafe { v128_store(bytes.as_mut_ptr().cast(), all) };
            bytes
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Computation, GROUP, Lanes};
    use std::arch::x86_64::{
        __m256, _CMP_GT_OQ, _CMP_LE_OQ, _CMP_UNORD_Q, _mm_add_ps, _mm_cmpeq_epi8, _mm_loadl_epi64,
        _mm_packs_epi32, _mm_packus_epi16, _mm_set1_epi8, _mm_storeu_ps, _mm_storeu_si128,
        _mm256_add_ps, _mm256_andnot_ps, _mm256_blendv_ps, _mm256_castps_si256,
        _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmp_ps,
        _mm256_cvtepi8_epi32, _mm256_div_ps, _mm256_extractf128_ps, _mm256_extracti128_si256,
        _mm256_fmadd_ps, _mm256_hadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_or_ps,
        _mm256_set1_ps, _mm256_setzero_ps, _mm256_sqrt_ps, _mm256_storeu_ps, _mm256_sub_ps,
    };

    /// Everything that is inlined into this function is compiled to AVX2 and FMA instructions.
    #[target_feature(enable = "avx2,fma")]
    pub fn run<C: Computation>(computation: C) -> C::Output {
        computation.run::<Vector, 6, 2>()
    }

    /// A vector is made in [`run`] alone, so the machine has the instructions of its methods.
    #[derive(Clone, Copy)]
    pub struct Vector(__m256);

    impl Lanes for Vector {
        const COUNT: usize = 8;

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the caller's promise, and see `Vector`; this load needs no alignment.
            Self(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's promise, and see `Vector`; this store needs no alignment.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_sqrt_ps(self.0) })
        }

        #[inline(always)]
        fn add_product(self, a: Self, b: Self) -> Self {
            // SAFETY: see `Vector`.
            Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
        }

        #[inline(always)]
        fn sums([a, b, c, d]: [Self; 4]) -> [f32; 4] {
            let mut values = [0.0; 4];
            // SAFETY: see `Vector`; there is room for four floats.
            unsafe {
                let four = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
                let halves = [_mm256_castps256_ps128(four), _mm256_extractf128_ps::<1>(four)];
                _mm_storeu_ps(values.as_mut_ptr(), _mm_add_ps(halves[0], halves[1]));
            }
            values
        }

        #[inline(always)]
        fn where_beaten(self, value: Self, yes: Self, no: Self) -> Self {
            // SAFETY: see `Vector`.
            unsafe {
                let larger = _mm256_cmp_ps::<_CMP_GT_OQ>(value.0, self.0);
                let beaten = _mm256_or_ps(larger, _mm256_cmp_ps::<_CMP_UNORD_Q>(value.0, value.0));
                Self(_mm256_blendv_ps(no.0, yes.0, beaten))
            }
        }

        #[inline(always)]
        fn where_cut(self, yes: Self, no: Self) -> Self {
            // SAFETY: see `Vector`.
            unsafe {
                let cut = _mm256_cmp_ps::<_CMP_LE_OQ>(self.0, _mm256_setzero_ps());
                Self(_mm256_blendv_ps(no.0, yes.0, cut))
            }
        }

        #[inline(always)]
        unsafe fn where_not_255(self, bytes: *const u8) -> Self {
            // SAFETY: see `Vector`, and the caller's promise; this load needs no alignment.
            unsafe {
                let equal = _mm_cmpeq_epi8(_mm_loadl_epi64(bytes.cast()), _mm_set1_epi8(-1));
                // The sign of a byte fills its lane.
                let lanes = _mm256_castsi256_ps(_mm256_cvtepi8_epi32(equal));
                Self(_mm256_andnot_ps(lanes, self.0))
            }
        }

        #[inline(always)]
        fn bytes<const V: usize>(vectors: [Self; V]) -> [u8; GROUP] {
            let mut bytes = [0; GROUP];
            // SAFETY: see `Vector`; sixteen bytes are written to an array of sixteen.
            unsafe {
                // No closures: they would be compiled without the caller's instructions.
                let (a, b) = (_mm256_castps_si256(vectors[0].0), _mm256_castps_si256(vectors[1].0));
                let a =
                    _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
                let b =
                    _mm_packs_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256::<1>(b));
                let all = _mm_packus_epi16(a, b);
                _mm_storeu_si128(bytes.as_mut_ptr().cast(), all);
            }
            bytes
        }
    }
}
