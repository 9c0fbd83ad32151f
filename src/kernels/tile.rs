//! The two innermost loops that every product is made of.

use super::lanes::{BLOCK, Lanes, load, store};

/// Where a factor lies: its first float, then how far it is from one step to the next of the outer and of the inner loop.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub start: usize,
    pub step: [usize; 2],
}

impl Walk {
    /// The furthest place of so many steps, at least one of each loop.
    fn last(self, steps: [usize; 2]) -> usize {
        self.start + (steps[0] - 1) * self.step[0] + (steps[1] - 1) * self.step[1]
    }
}

/// Adds up, over all steps, the product of `R` floats of `left` (each `row` further than where `walk` says) and `V` vectors
/// of `right`, which lie one behind the other: `sums[r][v] += left[r] * right[v]`.
///
/// A dot product of rows and columns, `V` vectors of columns at a time: convolutions, their weights' gradients and dense
/// layers differ in how they walk.
#[inline(always)]
pub fn tile<L: Lanes, const R: usize, const V: usize>(
    sums: &mut [[L; V]; R],
    steps: [usize; 2],
    (left, rows, left_walk): (&[f32], [usize; R], Walk),
    (right, right_walk): (&[f32], Walk),
) {
    if steps.contains(&0) {
        return;
    }
    let left_last = left_walk.last(steps);
    for row in rows {
        assert!(row + left_last < left.len());
    }
    assert!(right_walk.last(steps) + V * L::COUNT <= right.len());
    // SAFETY: the last step is inside both.
    unsafe { tile_unchecked(sums, steps, (left, rows, left_walk), (right, right_walk)) }
}

/// The same for who has checked all of a row of tiles.
///
/// # Safety
/// The last step of both walks, for each row, is inside what they walk on.
#[inline(always)]
pub unsafe fn tile_unchecked<L: Lanes, const R: usize, const V: usize>(
    sums: &mut [[L; V]; R],
    steps: [usize; 2],
    (left, rows, left_walk): (&[f32], [usize; R], Walk),
    (right, right_walk): (&[f32], Walk),
) {
    debug_assert!(rows.iter().all(|row| row + left_walk.last(steps) < left.len()));
    debug_assert!(right_walk.last(steps) + V * L::COUNT <= right.len());
    for outer in 0..steps[0] {
        // SAFETY: the caller's promise; what is one step beyond the last is not read.
        unsafe {
            let mut left = left.as_ptr().add(left_walk.start + outer * left_walk.step[0]);
            let mut right = right.as_ptr().add(right_walk.start + outer * right_walk.step[0]);
            for _ in 0..steps[1] {
                let vectors: [L; V] = std::array::from_fn(|v| L::load(right.add(v * L::COUNT)));
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let value = L::splat(*left.add(row));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = sum.add_product(value, vector);
                    }
                }
                left = left.wrapping_add(left_walk.step[1]);
                right = right.wrapping_add(right_walk.step[1]);
            }
        }
    }
}

/// The dot product of two slices of one length.
#[inline(always)]
pub fn dot<L: Lanes>(left: &[f32], right: &[f32]) -> f32 {
    const CHAINS: usize = 4;
    assert_eq!(left.len(), right.len());
    let mut sums = [L::splat(0.0); CHAINS];
    let whole = left.len() - left.len() % (CHAINS * L::COUNT);
    for at in (0..whole).step_by(CHAINS * L::COUNT) {
        let (left, right): ([L; CHAINS], [L; CHAINS]) = (load(left, at), load(right, at));
        for (sum, (left, right)) in sums.iter_mut().zip(left.into_iter().zip(right)) {
            *sum = sum.add_product(left, right);
        }
    }
    let mut lanes = [0.0; BLOCK];
    let [a, b, c, d] = sums;
    store([a.add(b).add(c.add(d))], &mut lanes, 0);
    let rest = left[whole..].iter().zip(&right[whole..]).map(|(left, right)| left * right);
    lanes.iter().copied().chain(rest).sum()
}

/// Lists of numbers, each number with the place of what it is multiplied by.
#[derive(Clone, Debug)]
pub struct Lists {
    capacity: usize,
    counts: Vec<usize>,
    terms: Vec<(u32, f32)>,
    /// No place is further.
    furthest: u32,
}

impl Lists {
    /// So many empty lists of at most `capacity` terms.
    pub fn new(lists: usize, capacity: usize) -> Self {
        // One place more in each: a term that is not kept is written all the same, so that nothing has to be predicted.
        let capacity = capacity + 1;
        Self {
            capacity,
            counts: vec![0; lists],
            terms: vec![(0, 0.0); lists * capacity],
            furthest: 0,
        }
    }

    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.furthest = 0;
    }

    /// Adds a term to the end of a list, if it is to be kept.
    #[inline(always)]
    pub fn push_if(&mut self, keep: bool, list: usize, place: u32, value: f32) {
        let count = &mut self.counts[list];
        self.terms[list * self.capacity + *count] = (place, value);
        self.furthest = self.furthest.max(place);
        *count += usize::from(keep);
    }

    fn list(&self, list: usize) -> &[(u32, f32)] {
        &self.terms[list * self.capacity..][..self.counts[list]]
    }

    pub fn is_empty(&self, list: usize) -> bool {
        self.counts[list] == 0
    }
}

/// Adds up `term * data[base + place of the term + s * pitch ..]` over a list, `S` rows of `V` vectors.
///
/// What a pooled convolution's backward passes are made of: only each window's winner carries a gradient.
#[inline(always)]
pub fn weighted_sum<L: Lanes, const S: usize, const V: usize>(
    sums: &mut [[L; V]; S],
    (lists, list): (&Lists, usize),
    (data, base, pitch): (&[f32], usize, usize),
) {
    let terms = lists.list(list);
    if terms.is_empty() {
        return;
    }
    assert!(base + lists.furthest as usize + (S - 1) * pitch + V * L::COUNT <= data.len());
    // SAFETY: no place is further than the furthest, for which it was checked.
    unsafe {
        let data = data.as_ptr().add(base);
        for &(place, value) in terms {
            let data = data.add(place as usize);
            let value = L::splat(value);
            for (s, sums) in sums.iter_mut().enumerate() {
                let data = data.add(s * pitch);
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add_product(value, L::load(data.add(v * L::COUNT)));
                }
            }
        }
    }
}
