//! Normal numbers from uniform ones, by the Box-Muller method, two at a time without a branch.
//!
//! Logarithm, sine and cosine are those of FreeBSD's msun (`e_log.c`, `e_rem_pio2.c`, `k_sin.c`, `k_cos.c`), term by term, which
//! Rust also uses for WebAssembly: the same bits on every machine.

use std::f64::consts::TAU;

use crate::lanes::{Computation, Instructions, Lanes};

/// Adds a normal number of mean 0 and standard deviation `strength`, rounded to f32, to each value of `to`. Each pair of numbers
/// comes from a pair of `uniforms`, which lie in [0, 1).
pub fn add(uniforms: &[f32], strength: f64, to: &mut [f32], instructions: Instructions) {
    assert_eq!(uniforms.len(), to.len().next_multiple_of(2));
    instructions.run(Add { uniforms, strength, to });
}

struct Add<'a> {
    uniforms: &'a [f32],
    strength: f64,
    to: &'a mut [f32],
}

impl Computation for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let (whole, rest) = self.to.as_chunks_mut::<4>();
        let (uniforms, last) = self.uniforms.as_chunks::<4>();
        for (to, &uniforms) in whole.iter_mut().zip(uniforms) {
            add_four(uniforms, self.strength, to);
        }
        // The rest of fewer than four; the last uniform number may have no partner in `to`.
        let uniforms = uniforms.get(whole.len()).map_or(last, |four| four);
        if !rest.is_empty() {
            let (mut four, mut numbers) = ([0.0; 4], [0.0; 4]);
            four[..uniforms.len()].copy_from_slice(uniforms);
            numbers[..rest.len()].copy_from_slice(rest);
            add_four(four, self.strength, &mut numbers);
            rest.copy_from_slice(&numbers[..rest.len()]);
        }
    }
}

#[inline(always)]
fn add_four([a, b, c, d]: [f32; 4], strength: f64, to: &mut [f32; 4]) {
    let (radii, angles) = ([f64::from(a), f64::from(c)], [f64::from(b), f64::from(d)]);
    let one = Doubles::splat(1.0);
    // 1 - u lies in (0, 1]: its logarithm is finite.
    let radius = logarithm(one.sub(Doubles::of(radii))).mul(Doubles::splat(-2.0)).sqrt();
    let angle = Doubles::of(angles).mul(Doubles::splat(TAU));
    let (sine, cosine) = sine_and_cosine(angle);
    let strength = Doubles::splat(strength);
    let cosines = radius.mul(cosine).mul(strength).numbers();
    let sines = radius.mul(sine).mul(strength).numbers();
    for pair in 0..2 {
        to[2 * pair] += cosines[pair] as f32;
        to[2 * pair + 1] += sines[pair] as f32;
    }
}

/// The logarithms of numbers from 2^-24 to 1.
#[inline(always)]
fn logarithm(x: Doubles) -> Doubles {
    let number = Doubles::splat;
    // x is 2^k (1 + f), where 1 + f lies between the square roots of a half and of 2.
    let (k, reduced) = x.exponent_and_fraction();
    let f = reduced.sub(number(1.0));
    let half_square = number(0.5).mul(f).mul(f);
    let s = f.div(number(2.0).add(f));
    let z = s.mul(s);
    let w = z.mul(z);
    let even = number(1.531_383_769_920_937_3e-1);
    let even = number(2.222_219_843_214_978_4e-1).add(w.mul(even));
    let even = w.mul(number(3.999_999_999_940_942e-1).add(w.mul(even)));
    let odd = number(1.479_819_860_511_658_6e-1);
    let odd = number(1.818_357_216_161_805e-1).add(w.mul(odd));
    let odd = number(2.857_142_874_366_239e-1).add(w.mul(odd));
    let odd = z.mul(number(6.666_666_666_666_735e-1).add(w.mul(odd)));
    let rest = odd.add(even);
    // ln 2 in two parts.
    let low = k.mul(number(1.908_214_929_270_587_7e-10));
    let high = k.mul(number(6.931_471_803_691_238e-1));
    s.mul(half_square.add(rest)).add(low).sub(half_square).add(f).add(high)
}

/// The sines and cosines of angles from 0 to two pi.
#[inline(always)]
fn sine_and_cosine(x: Doubles) -> (Doubles, Doubles) {
    let number = Doubles::splat;
    // The quarter turn nearest to the angle; the bounds compare the highest 32 bits.
    let zero = number(0.0);
    let mut turn = zero;
    for bound in [0x3fe9_21fb, 0x4002_d97c, 0x400f_6a7a, 0x4015_fdbc] {
        let bound = number(f64::from_bits((bound << 32) + 0xffff_ffff));
        turn = turn.add(x.where_above(bound, number(1.0), zero));
    }
    // The rest of the angle, in two parts; half a pi is 33 bits and the rest.
    let first = x.sub(turn.mul(number(1.570_796_326_734_125_6)));
    let second = turn.mul(number(6.077_100_506_506_192e-11));
    let y = first.sub(second);
    let tail = first.sub(y).sub(second);
    if y.numbers().iter().zip(turn.numbers()).any(|(y, turn)| y.abs() < 1e-5 && turn != 0.0) {
        // Nearly nothing of the angle is left: half a pi needs more bits here.
        let [a, b] = x.numbers().map(f64::sin_cos);
        return (Doubles::of([a.0, b.0]), Doubles::of([a.1, b.1]));
    }
    let z = y.mul(y);
    let w = z.mul(z);

    let r = number(-1.984_126_982_985_795e-4).add(z.mul(number(2.755_731_370_707_007e-6)));
    let r = number(8.333_333_333_322_49e-3).add(z.mul(r));
    let high = number(-2.505_076_025_340_686_3e-8).add(z.mul(number(1.589_690_995_211_55e-10)));
    let r = r.add(z.mul(w).mul(high));
    let v = z.mul(y);
    let s1 = number(-1.666_666_666_666_663_2e-1);
    let plain = y.add(v.mul(s1.add(z.mul(r))));
    let with_tail = number(0.5).mul(tail).sub(v.mul(r));
    let with_tail = y.sub(z.mul(with_tail).sub(tail).sub(v.mul(s1)));
    let sine = turn.where_above(zero, with_tail, plain);

    let r = number(-1.388_888_888_887_411e-3).add(z.mul(number(2.480_158_728_947_673e-5)));
    let r = z.mul(number(4.166_666_666_666_66e-2).add(z.mul(r)));
    let high = number(2.087_572_321_298_175e-9).add(z.mul(number(-1.135_964_755_778_819_5e-11)));
    let high = number(-2.755_731_435_139_066_3e-7).add(z.mul(high));
    let r = r.add(w.mul(w).mul(high));
    let half = number(0.5).mul(z);
    let rest = number(1.0).sub(half);
    let small = number(1.0).sub(rest).sub(half);
    let cosine = rest.add(small.add(z.mul(r).sub(y.mul(tail))));

    // After each quarter turn the sine is the cosine, and the cosine the negative sine.
    let (one, two, three, four) = (number(0.5), number(1.5), number(2.5), number(3.5));
    let negative = |value: Doubles| number(0.0).sub(value);
    let odd = |even, odd| {
        let last = turn.where_above(three, turn.where_above(four, even, odd), even);
        turn.where_above(two, last, turn.where_above(one, odd, even))
    };
    let (swapped_sine, swapped_cosine) = (odd(sine, cosine), odd(cosine, sine));
    let turned = |value, from: Doubles, to: Doubles| {
        let until = turn.where_above(to, value, negative(value));
        turn.where_above(from, until, value)
    };
    (turned(swapped_sine, two, four), turned(swapped_cosine, one, three))
}

/// Two numbers of f64.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
struct Doubles([f64; 2]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Doubles {
    #[inline(always)]
    fn of(numbers: [f64; 2]) -> Self {
        Self(numbers)
    }

    #[inline(always)]
    fn splat(number: f64) -> Self {
        Self([number; 2])
    }

    #[inline(always)]
    fn numbers(self) -> [f64; 2] {
        self.0
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self([self.0[0] + other.0[0], self.0[1] + other.0[1]])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self([self.0[0] - other.0[0], self.0[1] - other.0[1]])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self([self.0[0] * other.0[0], self.0[1] * other.0[1]])
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self([self.0[0] / other.0[0], self.0[1] / other.0[1]])
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self([self.0[0].sqrt(), self.0[1].sqrt()])
    }

    /// `yes` where a number is above the bound.
    #[inline(always)]
    fn where_above(self, bound: Self, yes: Self, no: Self) -> Self {
        let choose = |at: usize| if self.0[at] > bound.0[at] { yes.0[at] } else { no.0[at] };
        Self([choose(0), choose(1)])
    }

    /// The `k` and the `m` of each number `2^k m`, where `m` lies between the square roots of a half and of 2.
    #[inline(always)]
    fn exponent_and_fraction(self) -> (Self, Self) {
        let of = |number: f64| {
            let bits = number.to_bits() + (TO_ONE << 32);
            let exponent = f64::from_bits((bits >> 52) + WHOLE.to_bits()) - WHOLE - 1023.0;
            (exponent, f64::from_bits((bits & FRACTION) + (ROOT << 32)))
        };
        let [a, b] = self.0.map(of);
        (Self([a.0, b.0]), Self([a.1, b.1]))
    }
}

/// The highest bits of the square root of a half.
const ROOT: u64 = 0x3fe6_a09e;
/// The distance of [`ROOT`] from the highest bits of 1.
const TO_ONE: u64 = 0x3ff0_0000 - ROOT;
/// The bits of a number's fraction.
const FRACTION: u64 = (1 << 52) - 1;
/// 2^52: from here on, the last bits of a number are those of a whole number.
const WHOLE: f64 = 4_503_599_627_370_496.0;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::Doubles;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use super::{FRACTION, ROOT, TO_ONE, WHOLE};
    use std::arch::wasm32::{
        f64x2, f64x2_add, f64x2_div, f64x2_extract_lane, f64x2_gt, f64x2_mul, f64x2_splat,
        f64x2_sqrt, f64x2_sub, i64x2_add, u64x2_shr, u64x2_splat, v128, v128_and, v128_bitselect,
    };

    #[derive(Clone, Copy)]
    pub struct Doubles(v128);

    impl Doubles {
        #[inline(always)]
        pub fn of([a, b]: [f64; 2]) -> Self {
            Self(f64x2(a, b))
        }

        #[inline(always)]
        pub fn splat(number: f64) -> Self {
            Self(f64x2_splat(number))
        }

        #[inline(always)]
        pub fn numbers(self) -> [f64; 2] {
            [f64x2_extract_lane::<0>(self.0), f64x2_extract_lane::<1>(self.0)]
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Self(f64x2_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            Self(f64x2_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            Self(f64x2_mul(self.0, other.0))
        }

        #[inline(always)]
        pub fn div(self, other: Self) -> Self {
            Self(f64x2_div(self.0, other.0))
        }

        #[inline(always)]
        pub fn sqrt(self) -> Self {
            Self(f64x2_sqrt(self.0))
        }

        #[inline(always)]
        pub fn where_above(self, bound: Self, yes: Self, no: Self) -> Self {
            Self(v128_bitselect(yes.0, no.0, f64x2_gt(self.0, bound.0)))
        }

        #[inline(always)]
        pub fn exponent_and_fraction(self) -> (Self, Self) {
            let bits = i64x2_add(self.0, u64x2_splat(TO_ONE << 32));
            let exponent = i64x2_add(u64x2_shr(bits, 52), f64x2_splat(WHOLE));
            let exponent = f64x2_sub(f64x2_sub(exponent, f64x2_splat(WHOLE)), f64x2_splat(1023.0));
            let fraction = v128_and(bits, u64x2_splat(FRACTION));
            (Self(exponent), Self(i64x2_add(fraction, u64x2_splat(ROOT << 32))))
        }
    }
}
