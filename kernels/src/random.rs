//! Random numbers of a ChaCha stream, many at once. D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008, with 8 rounds.

use crate::lanes::{Computation, Instructions, Lanes};

/// Words of a block.
const WORDS: usize = 16;

/// Blocks that are computed together, one per lane.
const LANES: usize = 4;

/// A stream of random words, with a 64-bit counter of blocks and a 64-bit stream number.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Eight words, little-endian.
    pub key: [u8; 32],
    pub number: u64,
}

impl Stream {
    /// Fills `to` with uniform numbers in [0, 1), from the stream's word `first` on. Each number is the upper 24 bits of a word.
    pub fn uniforms(&self, first: u64, to: &mut [f32], instructions: Instructions) {
        instructions.run(Uniforms { stream: self, first, to });
    }
}

struct Uniforms<'a> {
    stream: &'a Stream,
    first: u64,
    to: &'a mut [f32],
}

impl Computation for Uniforms<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(self.stream.key.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let mut block = self.first / WORDS as u64;
        let mut skipped = (self.first % WORDS as u64) as usize;
        let mut to = self.to;
        let mut numbers = [0.0; LANES * WORDS];
        while !to.is_empty() {
            four_blocks(&words, self.stream.number, block, &mut numbers);
            let count = to.len().min(numbers.len() - skipped);
            let (now, later) = to.split_at_mut(count);
            now.copy_from_slice(&numbers[skipped..][..count]);
            to = later;
            skipped = 0;
            block = block.wrapping_add(LANES as u64);
        }
    }
}

/// Writes the numbers of the four blocks from `block` on.
#[inline(always)]
fn four_blocks(key: &[u32; 8], stream: u64, block: u64, numbers: &mut [f32; LANES * WORDS]) {
    let mut state = [Words::of([0; LANES]); WORDS];
    // "expand 32-byte k"
    let constants = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
    for (words, &value) in state.iter_mut().zip(constants.iter().chain(key)) {
        *words = Words::of([value; LANES]);
    }
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    for lane in 0..LANES {
        let counter = block.wrapping_add(lane as u64);
        (low[lane], high[lane]) = (counter as u32, (counter >> 32) as u32);
    }
    state[12] = Words::of(low);
    state[13] = Words::of(high);
    state[14] = Words::of([stream as u32; LANES]);
    state[15] = Words::of([(stream >> 32) as u32; LANES]);
    let start = state;
    for _ in 0..4 {
        quarter_round(&mut state, [0, 4, 8, 12]);
        quarter_round(&mut state, [1, 5, 9, 13]);
        quarter_round(&mut state, [2, 6, 10, 14]);
        quarter_round(&mut state, [3, 7, 11, 15]);
        quarter_round(&mut state, [0, 5, 10, 15]);
        quarter_round(&mut state, [1, 6, 11, 12]);
        quarter_round(&mut state, [2, 7, 8, 13]);
        quarter_round(&mut state, [3, 4, 9, 14]);
    }
    let mut results = [Words::of([0; LANES]); WORDS];
    for (result, (state, start)) in results.iter_mut().zip(state.into_iter().zip(start)) {
        *result = state.sum(start);
    }
    let (blocks, _) = numbers.as_chunks_mut::<WORDS>();
    for (at, four) in results.as_chunks::<LANES>().0.iter().enumerate() {
        for (block, uniforms) in blocks.iter_mut().zip(Words::uniforms(*four)) {
            block[at * LANES..][..LANES].copy_from_slice(&uniforms);
        }
    }
}

/// ChaCha's quarter round on four words of the state.
#[inline(always)]
fn quarter_round(state: &mut [Words; WORDS], [a, b, c, d]: [usize; 4]) {
    state[a] = state[a].sum(state[b]);
    state[d] = state[d].differing(state[a]).rotated::<16>();
    state[c] = state[c].sum(state[d]);
    state[b] = state[b].differing(state[c]).rotated::<12>();
    state[a] = state[a].sum(state[b]);
    state[d] = state[d].differing(state[a]).rotated::<8>();
    state[c] = state[c].sum(state[d]);
    state[b] = state[b].differing(state[c]).rotated::<7>();
}

/// The same word of all four blocks.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
struct Words([u32; LANES]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Words {
    #[inline(always)]
    fn of(words: [u32; LANES]) -> Self {
        Self(words)
    }

    #[inline(always)]
    fn sum(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].wrapping_add(other.0[lane])))
    }

    /// The bits in which the words differ.
    #[inline(always)]
    fn differing(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] ^ other.0[lane]))
    }

    /// Each word rotated left by `BITS` bits.
    #[inline(always)]
    fn rotated<const BITS: u32>(self) -> Self {
        Self(self.0.map(|word| word.rotate_left(BITS)))
    }

    /// For each block, its four words as numbers in [0, 1), from their upper 24 bits: a float holds no more.
    #[inline(always)]
    fn uniforms(four: [Self; 4]) -> [[f32; 4]; LANES] {
        let uniform = |word: u32| (word >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
        std::array::from_fn(|lane| std::array::from_fn(|word| uniform(four[word].0[lane])))
    }
}

// For WebAssembly, compilers do not turn the code above into vectors.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::Words;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use super::LANES;
    use std::arch::wasm32::{
        f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i8x16_shuffle, i16x8_shuffle, i32x4_add,
        i32x4_shl, i32x4_shuffle, u32x4, u32x4_shr, v128, v128_or, v128_store, v128_xor,
    };

    #[derive(Clone, Copy)]
    pub struct Words(v128);

    impl Words {
        #[inline(always)]
        pub fn of([a, b, c, d]: [u32; LANES]) -> Self {
            Self(u32x4(a, b, c, d))
        }

        #[inline(always)]
        pub fn sum(self, other: Self) -> Self {
            Self(i32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn differing(self, other: Self) -> Self {
            Self(v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub fn rotated<const BITS: u32>(self) -> Self {
            // A rotation by whole bytes is one instruction.
            Self(match BITS {
                8 => i8x16_shuffle::<3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14>(
                    self.0, self.0,
                ),
                16 => i16x8_shuffle::<1, 0, 3, 2, 5, 4, 7, 6>(self.0, self.0),
                _ => v128_or(i32x4_shl(self.0, BITS), u32x4_shr(self.0, 32 - BITS)),
            })
        }

        #[inline(always)]
        pub fn uniforms([a, b, c, d]: [Self; 4]) -> [[f32; 4]; LANES] {
            let (low, high) = (halves(a, b), halves(c, d));
            let lanes = [
                i32x4_shuffle::<0, 1, 4, 5>(low[0], high[0]),
                i32x4_shuffle::<2, 3, 6, 7>(low[0], high[0]),
                i32x4_shuffle::<0, 1, 4, 5>(low[1], high[1]),
                i32x4_shuffle::<2, 3, 6, 7>(low[1], high[1]),
            ];
            let mut numbers = [[0.0; 4]; LANES];
            for (numbers, words) in numbers.iter_mut().zip(lanes) {
                let whole = f32x4_convert_i32x4(u32x4_shr(words, 8));
                let uniforms = f32x4_mul(whole, f32x4_splat(1.0 / 16_777_216.0));
                // SAFETY: there is room for four floats.
                unsafe { v128_store(numbers.as_mut_ptr().cast(), uniforms) };
            }
            numbers
        }
    }

    /// Interleaves the words of `a` and `b`: those of the first two blocks, then those of the others.
    #[inline(always)]
    fn halves(a: Words, b: Words) -> [v128; 2] {
        [i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0)]
    }
}
