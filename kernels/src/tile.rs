//! The innermost loops that every product is made of.

use crate::buffers::{Buffer, Buffers, Term};
use crate::lanes::{GROUP, Lanes, load, store};

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

/// The dot products of `R` rows of `left` with four rows of `right`, each row `length` behind the one before.
#[inline(always)]
pub fn dots<L: Lanes, const R: usize>(
    (left, left_start): (&[f32], usize),
    (right, right_start): (&[f32], usize),
    [left_pitch, right_pitch]: [usize; 2],
    length: usize,
) -> [[f32; 4]; R] {
    assert!(left_start + (R - 1) * left_pitch + length <= left.len());
    assert!(right_start + 3 * right_pitch + length <= right.len());
    let whole = length - length % L::COUNT;
    let mut sums = [[L::splat(0.0); 4]; R];
    // SAFETY: all of all rows was checked.
    let mut dots = unsafe {
        let (left, right) = (left.as_ptr().add(left_start), right.as_ptr().add(right_start));
        for at in (0..whole).step_by(L::COUNT) {
            let mut vectors = [L::splat(0.0); 4];
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = L::load(right.add(v * right_pitch + at));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let value = L::load(left.add(r * left_pitch + at));
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = sum.add_product(value, vector);
                }
            }
        }
        sums.map(L::sums)
    };
    for (r, dots) in dots.iter_mut().enumerate() {
        for (v, dot) in dots.iter_mut().enumerate() {
            for at in whole..length {
                *dot += left[left_start + r * left_pitch + at]
                    * right[right_start + v * right_pitch + at];
            }
        }
    }
    dots
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
    let mut lanes = [0.0; GROUP];
    let [a, b, c, d] = sums;
    store([a.add(b).add(c.add(d))], &mut lanes, 0);
    let rest = left[whole..].iter().zip(&right[whole..]).map(|(left, right)| left * right);
    lanes.iter().copied().chain(rest).sum()
}

/// Writes columns as rows. `from` has `rows` rows of `columns` floats, each `pitch` behind the one before.
#[inline(always)]
pub fn transpose(
    from: &[f32],
    pitch: usize,
    [rows, columns]: [usize; 2],
    to: &mut [f32],
    to_pitch: usize,
) {
    const SIDE: usize = 4;
    if columns < SIDE {
        for column in 0..columns {
            let to = &mut to[column * to_pitch..][..rows];
            for (to, row) in to.iter_mut().zip(from.chunks(pitch)) {
                *to = row[column];
            }
        }
        return;
    }
    if rows < SIDE {
        for row in 0..rows {
            let from = &from[row * pitch..][..columns];
            for (to, &value) in to.chunks_mut(to_pitch).zip(from) {
                to[row] = value;
            }
        }
        return;
    }
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            let (height, width) = (SIDE.min(rows - row), SIDE.min(columns - column));
            if height == SIDE && width == SIDE {
                let square: [[f32; SIDE]; SIDE] = std::array::from_fn(|i| {
                    from[(row + i) * pitch + column..][..SIDE].try_into().expect("a whole row")
                });
                for j in 0..SIDE {
                    let values: [f32; SIDE] = std::array::from_fn(|i| square[i][j]);
                    to[(column + j) * to_pitch + row..][..SIDE].copy_from_slice(&values);
                }
            } else {
                for i in 0..height {
                    for j in 0..width {
                        to[(column + j) * to_pitch + row + i] =
                            from[(row + i) * pitch + column + j];
                    }
                }
            }
        }
    }
}

/// Work on a part of a row.
pub trait Piece {
    /// On the `V` vectors from `at` on.
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize);
}

/// Splits a row into parts of `WIDE` vectors, 2 or 4, then of one, then of one float: the more kinds of parts, the more code.
#[inline(always)]
pub fn pieces<L: Lanes, const WIDE: usize>(length: usize, work: &mut impl Piece) {
    let mut at = 0;
    while WIDE == 4 && length - at >= 4 * L::COUNT {
        work.piece::<L, 4>(at);
        at += 4 * L::COUNT;
    }
    while WIDE == 2 && length - at >= 2 * L::COUNT {
        work.piece::<L, 2>(at);
        at += 2 * L::COUNT;
    }
    while length - at >= L::COUNT {
        work.piece::<L, 1>(at);
        at += L::COUNT;
    }
    while at < length {
        work.piece::<f32, 1>(at);
        at += 1;
    }
}

/// What the bytes stand for that name the winners of a pool's windows. With 2 x 2 windows, bytes 0 to 3 stand for the window's places,
/// as distances in the input or as numbers of lists, and all others for "none", where ReLU cut all places off.
#[derive(Debug)]
pub struct WinnerNumbers {
    numbers: [(u32, u32); 256],
    highest: u32,
}

impl WinnerNumbers {
    /// The first bytes stand for these numbers, at least one and at most 256, and the others for none.
    pub fn new(numbers: &[u32]) -> Self {
        let mut winners = Self {
            numbers: [(0, 0); 256],
            highest: *numbers.iter().max().expect("at least one number"),
        };
        for (winner, &number) in winners.numbers.iter_mut().zip(numbers) {
            *winner = (number, 1);
        }
        winners
    }

    /// A byte's number, and 1 where it has one.
    #[inline(always)]
    fn of(&self, byte: u8) -> (u32, usize) {
        let (number, known) = self.numbers[usize::from(byte)];
        (number, known as usize)
    }
}

/// Lists of the gradients of winners, each with the place of what it is multiplied by.
///
/// The lists are filled without a branch for what has no winner, which could not be predicted: every term is written after the end
/// of its list, and the list grows only where the term is kept.
#[derive(Debug)]
pub struct WinnerLists {
    /// Terms that fit a list, and one more to write what is left out.
    capacity: usize,
    /// No list has more terms.
    most: usize,
    /// Where each list ends: list `i` starts at `i * capacity`.
    ends: Vec<usize>,
    terms: Buffer<Term>,
    /// No place is further.
    furthest: u32,
}

impl WinnerLists {
    /// So many empty lists of at most `capacity` terms.
    pub fn new(lists: usize, capacity: usize, buffers: &Buffers) -> Self {
        let capacity = capacity + 1;
        let terms = buffers.terms(lists * capacity);
        let ends = (0..lists).map(|list| list * capacity).collect();
        Self { capacity, most: 0, ends, terms, furthest: 0 }
    }

    pub fn clear(&mut self) {
        for (list, end) in self.ends.iter_mut().enumerate() {
            *end = list * self.capacity;
        }
        (self.most, self.furthest) = (0, 0);
    }

    /// Adds one term to the end of each list: its value, at the place that its winner has from `start` on.
    #[inline(always)]
    pub fn push_row(
        &mut self,
        values: &[f32],
        winners: &[u8],
        start: usize,
        places: &WinnerNumbers,
    ) {
        assert!(values.len() == self.ends.len() && winners.len() == self.ends.len());
        assert!(self.most + 1 < self.capacity);
        let start = u32::try_from(start).expect("a tensor of less than 2^32 floats");
        let furthest = start.checked_add(places.highest).expect("as above");
        self.furthest = self.furthest.max(furthest);
        self.most += 1;
        for (end, (&value, &winner)) in self.ends.iter_mut().zip(values.iter().zip(winners)) {
            let (place, keep) = places.of(winner);
            // SAFETY: the list is shorter than `most` was, which is less than what fits a list.
            unsafe { *self.terms.get_unchecked_mut(*end) = (start + place, value) };
            *end += keep;
        }
    }

    /// Adds one term for each value to the end of the list that its winner names, counted from `first`: the next value is
    /// `step` further.
    #[inline(always)]
    pub fn push_by_winner(
        &mut self,
        first: usize,
        values: &[f32],
        winners: &[u8],
        step: usize,
        lists: &WinnerNumbers,
    ) {
        assert!(values.len() == winners.len());
        let starts = (first..).map(|list| list * self.capacity);
        let ends = &mut self.ends[first..=first + lists.highest as usize];
        let room = self.capacity - 1;
        assert!(ends.iter().zip(starts).all(|(end, start)| end - start + values.len() <= room));
        let last = u32::try_from(values.len() * step).expect("a kernel of less than 2^32 floats");
        self.furthest = self.furthest.max(last - step as u32);
        for (index, (&value, &winner)) in values.iter().zip(winners).enumerate() {
            let (list, keep) = lists.of(winner);
            let end = &mut ends[list as usize];
            // SAFETY: no list has got more than the values so far, for which there was room.
            unsafe { *self.terms.get_unchecked_mut(*end) = ((index * step) as u32, value) };
            *end += keep;
        }
    }

    fn list(&self, list: usize) -> &[Term] {
        &self.terms[list * self.capacity..self.ends[list]]
    }

    /// The sum of a list's values.
    pub fn sum(&self, list: usize) -> f32 {
        const CHAINS: usize = 4;
        let mut sums = [0.0; CHAINS];
        let (fours, rest) = self.list(list).as_chunks::<CHAINS>();
        for four in fours {
            for (sum, (_, value)) in sums.iter_mut().zip(four) {
                *sum += value;
            }
        }
        sums.iter().chain(rest.iter().map(|(_, value)| value)).sum()
    }

    pub fn is_empty(&self, list: usize) -> bool {
        self.list(list).is_empty()
    }
}

/// Adds up `term * data[base + place of the term + s * pitch ..]` over a list, `S` rows of `V` vectors.
///
/// What a pooled convolution's backward passes are made of: only each window's winner carries a gradient.
#[inline(always)]
pub fn weighted_sum<L: Lanes, const S: usize, const V: usize>(
    sums: &mut [[L; V]; S],
    (lists, list): (&WinnerLists, usize),
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
