//! The innermost loops, of which every product is made.

use crate::buffers::{Buffer, Buffers, Term};
use crate::lanes::{GROUP, Lanes, load, store};

/// The number of steps of a tile's outer and inner loop.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    pub outer: usize,
    pub inner: usize,
}

/// The place of a factor's first float, and its distance from one step to the next of the outer and of the inner loop.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub start: usize,
    pub outer: usize,
    pub inner: usize,
}

impl Walk {
    /// The place of the last step; each loop has at least one step.
    fn last(self, steps: Steps) -> usize {
        self.start + (steps.outer - 1) * self.outer + (steps.inner - 1) * self.inner
    }
}

/// A tile's left factor: at each step, one float of each of `R` rows.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a, const R: usize> {
    pub values: &'a [f32],
    /// The distance of each row from the walk.
    pub rows: [usize; R],
    pub walk: Walk,
}

/// A tile's right factor: at each step, consecutive vectors.
#[derive(Clone, Copy, Debug)]
pub struct Right<'a> {
    pub values: &'a [f32],
    pub walk: Walk,
}

/// Adds up, over all steps, the products of `R` floats of `left` and `V` vectors of `right`:
/// `sums[r][v] += left[r] * right[v]`.
///
/// A dot product of rows and columns, `V` vectors of columns at a time. Convolutions, their weights' gradients and dense
/// layers differ only in their walks.
#[inline(always)]
pub fn tile<L: Lanes, const R: usize, const V: usize>(
    sums: &mut [[L; V]; R],
    steps: Steps,
    left: Left<R>,
    right: Right,
) {
    if steps.outer == 0 || steps.inner == 0 {
        return;
    }
    let left_last = left.walk.last(steps);
    for row in left.rows {
        assert!(row + left_last < left.values.len());
    }
    assert!(right.walk.last(steps) + V * L::COUNT <= right.values.len());
    // SAFETY: the last step is inside both.
    unsafe { tile_unchecked(sums, steps, left, right) }
}

/// [`tile`] without its checks, for callers that have checked a whole row of tiles.
///
/// # Safety
/// The last step of both walks, for each row of `left` and all vectors of `right`, is inside their values.
#[inline(always)]
pub unsafe fn tile_unchecked<L: Lanes, const R: usize, const V: usize>(
    sums: &mut [[L; V]; R],
    steps: Steps,
    left: Left<R>,
    right: Right,
) {
    debug_assert!(left.rows.iter().all(|row| row + left.walk.last(steps) < left.values.len()));
    debug_assert!(right.walk.last(steps) + V * L::COUNT <= right.values.len());
    let (rows, left_walk, right_walk) = (left.rows, left.walk, right.walk);
    for outer in 0..steps.outer {
        // SAFETY: the caller's promise; one step beyond the last, nothing is read.
        unsafe {
            let mut left = left.values.as_ptr().add(left_walk.start + outer * left_walk.outer);
            let mut right = right.values.as_ptr().add(right_walk.start + outer * right_walk.outer);
            for _ in 0..steps.inner {
                let vectors: [L; V] = std::array::from_fn(|v| L::load(right.add(v * L::COUNT)));
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let value = L::splat(*left.add(row));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = sum.add_product(value, vector);
                    }
                }
                left = left.wrapping_add(left_walk.inner);
                right = right.wrapping_add(right_walk.inner);
            }
        }
    }
}

/// Rows of floats: the first starts at `start`, and each next one `pitch` floats further.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub start: usize,
    pub pitch: usize,
}

/// The dot products of `R` rows of `left` with four rows of `right`, over `length` floats of each row.
#[inline(always)]
pub fn dots<L: Lanes, const R: usize>(left: Rows, right: Rows, length: usize) -> [[f32; 4]; R] {
    let Rows { values: left, start: left_start, pitch: left_pitch } = left;
    let Rows { values: right, start: right_start, pitch: right_pitch } = right;
    assert!(left_start + (R - 1) * left_pitch + length <= left.len());
    assert!(right_start + 3 * right_pitch + length <= right.len());
    let whole = length - length % L::COUNT;
    let mut sums = [[L::splat(0.0); 4]; R];
    // SAFETY: all rows were checked to their ends.
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

/// The dot product of two slices of the same length.
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

/// The size of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
}

/// Writes a matrix's columns as rows. The rows of `from` are `from_pitch` floats apart, those of `to` `to_pitch`.
#[inline(always)]
pub fn transpose(matrix: Matrix, from: &[f32], from_pitch: usize, to: &mut [f32], to_pitch: usize) {
    const SIDE: usize = 4;
    let Matrix { rows, columns } = matrix;
    if columns < SIDE {
        for column in 0..columns {
            let to = &mut to[column * to_pitch..][..rows];
            for (to, row) in to.iter_mut().zip(from.chunks(from_pitch)) {
                *to = row[column];
            }
        }
        return;
    }
    if rows < SIDE {
        for row in 0..rows {
            let from = &from[row * from_pitch..][..columns];
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
                    from[(row + i) * from_pitch + column..][..SIDE].try_into().expect("a whole row")
                });
                for j in 0..SIDE {
                    let values: [f32; SIDE] = std::array::from_fn(|i| square[i][j]);
                    to[(column + j) * to_pitch + row..][..SIDE].copy_from_slice(&values);
                }
            } else {
                for i in 0..height {
                    for j in 0..width {
                        to[(column + j) * to_pitch + row + i] =
                            from[(row + i) * from_pitch + column + j];
                    }
                }
            }
        }
    }
}

/// Work on a part of a row.
pub trait Piece {
    /// Works on the `V` vectors from `at` on.
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize);
}

/// Splits a row into parts of `WIDE` vectors, 2 or 4, then of one vector, then of one float: more kinds of parts are more code.
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

/// The number that each winner's byte stands for. With 2 x 2 windows, bytes 0 to 3 are the window's places, and their numbers are
/// distances in the input, or indices of lists. All other bytes stand for no winner: ReLU cut all places off.
#[derive(Debug)]
pub struct WinnerNumbers {
    numbers: [(u32, u32); 256],
    highest: u32,
}

impl WinnerNumbers {
    /// The first bytes stand for `numbers`, at least one and at most 256, and the others for none.
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

    /// A byte's number, and 1 if the byte has one, 0 otherwise.
    #[inline(always)]
    fn of(&self, byte: u8) -> (u32, usize) {
        let (number, known) = self.numbers[usize::from(byte)];
        (number, known as usize)
    }
}

/// Lists of the winners' gradients, each with the place of its other factor.
///
/// A branch for windows without a winner could not be predicted. So every term is written after the end of its list, and the
/// list grows only if the term is kept.
#[derive(Debug)]
pub struct WinnerLists {
    /// The terms that fit a list, and one more, to which terms that are not kept are written.
    capacity: usize,
    /// The most terms that a list can have so far: how often [`Self::push_row`] was called.
    longest: usize,
    /// The end of each list; list `i` starts at `i * capacity`.
    ends: Vec<usize>,
    terms: Buffer<Term>,
    /// No term's place is larger than this.
    furthest: u32,
}

impl WinnerLists {
    /// `lists` empty lists of at most `capacity` terms.
    pub fn new(lists: usize, capacity: usize, buffers: &Buffers) -> Self {
        let capacity = capacity + 1;
        let terms = buffers.terms(lists * capacity);
        let ends = (0..lists).map(|list| list * capacity).collect();
        Self { capacity, longest: 0, ends, terms, furthest: 0 }
    }

    pub fn clear(&mut self) {
        for (list, end) in self.ends.iter_mut().enumerate() {
            *end = list * self.capacity;
        }
        (self.longest, self.furthest) = (0, 0);
    }

    /// Adds one term to the end of each list: the list's value, at `start` plus its winner's number.
    #[inline(always)]
    pub fn push_row(
        &mut self,
        values: &[f32],
        winners: &[u8],
        start: usize,
        places: &WinnerNumbers,
    ) {
        assert!(values.len() == self.ends.len() && winners.len() == self.ends.len());
        assert!(self.longest + 1 < self.capacity);
        let start = u32::try_from(start).expect("a tensor of less than 2^32 floats");
        let furthest = start.checked_add(places.highest).expect("as above");
        self.furthest = self.furthest.max(furthest);
        self.longest += 1;
        for (end, (&value, &winner)) in self.ends.iter_mut().zip(values.iter().zip(winners)) {
            let (place, keep) = places.of(winner);
            // SAFETY: the list is no longer than the old `longest`, which is less than the capacity.
            unsafe { *self.terms.get_unchecked_mut(*end) = (start + place, value) };
            *end += keep;
        }
    }

    /// Adds one term for each value to the end of the list `first` plus its winner's number. The places of the values are
    /// `step` apart, from 0 on.
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
            // SAFETY: no list has got more terms than there are values, for which there was room.
            unsafe { *self.terms.get_unchecked_mut(*end) = ((index * step) as u32, value) };
            *end += keep;
        }
    }

    pub fn list(&self, index: usize) -> WinnerList<'_> {
        WinnerList { lists: self, index }
    }
}

/// One of the [`WinnerLists`].
#[derive(Clone, Copy, Debug)]
pub struct WinnerList<'a> {
    lists: &'a WinnerLists,
    index: usize,
}

impl WinnerList<'_> {
    fn terms(&self) -> &[Term] {
        &self.lists.terms[self.index * self.lists.capacity..self.lists.ends[self.index]]
    }

    /// The sum of the values.
    pub fn sum(self) -> f32 {
        const CHAINS: usize = 4;
        let mut sums = [0.0; CHAINS];
        let (fours, rest) = self.terms().as_chunks::<CHAINS>();
        for four in fours {
            for (sum, (_, value)) in sums.iter_mut().zip(four) {
                *sum += value;
            }
        }
        sums.iter().chain(rest.iter().map(|(_, value)| value)).sum()
    }

    pub fn is_empty(self) -> bool {
        self.terms().is_empty()
    }
}

/// Adds up `value * rows[place ..]` over a list's terms: `S` rows of `V` vectors, of which the first row starts `place` after the
/// start of `rows`.
///
/// The backward passes of a pooled convolution are made of these sums: only each window's winner carries a gradient.
#[inline(always)]
pub fn weighted_sum<L: Lanes, const S: usize, const V: usize>(
    sums: &mut [[L; V]; S],
    list: WinnerList,
    rows: Rows,
) {
    let terms = list.terms();
    if terms.is_empty() {
        return;
    }
    let Rows { values: data, start, pitch } = rows;
    assert!(start + list.lists.furthest as usize + (S - 1) * pitch + V * L::COUNT <= data.len());
    // SAFETY: the range of the furthest place was checked.
    unsafe {
        let data = data.as_ptr().add(start);
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
