//! The end of a vector, to which small pieces are appended.

use crate::varint::{SHORT, long_varint, short_varint};

/// The end of a vector, to which pieces are appended, most of them a few bytes.
///
/// What the vector itself knows of its memory is in memory: it would be read again after each piece, which may have been
/// written over it for all that the compiler knows. Here it is in registers, and the vector learns of its new length at
/// the end. Without that, as after an error or a panic, it is as it was.
///
/// For that, none of the functions that are called where something is not as usual gets a reference to this: it would
/// have to be in memory.
pub(crate) struct Room<'a> {
    out: &'a mut Vec<u8>,
    /// Where the vector's memory begins, and how much there is.
    start: *mut u8,
    capacity: usize,
    /// How long the vector is with all pieces. As long as that is within the limit they are there; otherwise the last ones
    /// are only counted.
    len: usize,
    limit: usize,
}

impl<'a> Room<'a> {
    /// The end of `out`, whose length may not exceed `limit`.
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self { start: out.as_mut_ptr(), capacity: out.capacity(), len: out.len(), limit, out }
    }

    /// Appends a word of at most [`WIDE`] bytes.
    #[inline]
    pub(crate) fn append_word<const LEN: usize>(&mut self, word: [u8; LEN]) {
        const { assert!(LEN <= WIDE) };
        if self.len + LEN <= self.capacity {
            // SAFETY: the check has found so many bytes behind `len` in the vector's memory, which nobody else can reach
            // as long as this holds the vector.
            unsafe { self.start.add(self.len).cast::<[u8; LEN]>().write_unaligned(word) };
            self.len += LEN;
        } else {
            self.len = grow_word(self.out, self.len, widen(word), LEN, self.limit);
            self.look();
        }
    }

    /// Appends the first `used` bytes of a word.
    #[inline]
    pub(crate) fn append_part<const LEN: usize>(&mut self, word: [u8; LEN], used: usize) {
        const { assert!(LEN <= WIDE) };
        debug_assert!(used <= LEN);
        if self.len + LEN <= self.capacity {
            // SAFETY: as above. What is behind the part is written over, or never looked at.
            unsafe { self.start.add(self.len).cast::<[u8; LEN]>().write_unaligned(word) };
            // What is said to be used is there in any case.
            self.len += used.min(LEN);
        } else {
            self.len = grow_word(self.out, self.len, widen(word), used, self.limit);
            self.look();
        }
    }

    /// Appends a number, seven bits a byte, the lowest first.
    #[inline]
    pub(crate) fn append_varint(&mut self, value: u64) {
        if value < 0x80 {
            self.append_word([value as u8]);
        } else if value < SHORT && self.len + size_of::<u32>() <= self.capacity {
            let (word, used) = short_varint(value as u32);
            self.append_part(word.to_le_bytes(), used);
        } else {
            self.len = append_long(self.out, self.len, value, self.limit);
            self.look();
        }
    }

    /// Appends a piece.
    #[inline]
    pub(crate) fn append(&mut self, piece: &[u8]) {
        if piece.len() <= self.capacity.saturating_sub(self.len) {
            // SAFETY: as above; and no piece is a part of what only this can reach.
            unsafe { self.start.add(self.len).copy_from_nonoverlapping(piece.as_ptr(), piece.len()) };
            self.len += piece.len();
        } else {
            self.len = grow(self.out, self.len, piece, self.limit);
            self.look();
        }
    }

    /// Gives the vector its new length, and says it: or, if the limit does not allow that, what it would be.
    #[inline]
    pub(crate) fn add(&mut self) -> Result<usize, usize> {
        if self.len > self.limit {
            return Err(self.len);
        }
        // SAFETY: everything up to there has content, since it is within the limit, and so it is within the memory.
        unsafe { self.out.set_len(self.len) };
        Ok(self.len)
    }

    /// The length that the vector may have with the pieces after those that were [added](Self::add). It may not be less than
    /// it was.
    #[inline]
    pub(crate) fn allow(&mut self, limit: usize) {
        debug_assert!(self.len <= self.limit && self.limit <= limit);
        self.limit = limit;
    }

    /// The vector may have moved.
    #[inline]
    fn look(&mut self) {
        (self.start, self.capacity) = (self.out.as_mut_ptr(), self.out.capacity());
    }
}

/// Appends a number of at least two bytes like [`grow`]: but mostly there is room. In one place, for there are many numbers
/// in a program.
#[inline(never)]
fn append_long(out: &mut Vec<u8>, len: usize, value: u64, limit: usize) -> usize {
    let (first, last, used) = long_varint(value);
    let word = u128::from(first) | u128::from(last) << 64;
    if len + WIDE > out.capacity() {
        return grow_word(out, len, word, used, limit);
    }
    // SAFETY: there are so many bytes behind `len` in the vector's memory.
    unsafe { out.as_mut_ptr().add(len).cast::<[u8; WIDE]>().write_unaligned(word.to_le_bytes()) };
    len + used
}

#[inline]
fn widen<const LEN: usize>(word: [u8; LEN]) -> u128 {
    let mut wide = [0; WIDE];
    wide[..LEN].copy_from_slice(&word);
    u128::from_le_bytes(wide)
}

/// Like [`grow`], for the first `used` bytes of a word.
#[cold]
fn grow_word(out: &mut Vec<u8>, len: usize, word: u128, used: usize, limit: usize) -> usize {
    grow(out, len, word.to_le_bytes().get(..used).unwrap_or_default(), limit)
}

/// Appends a piece to the first `len` bytes of the memory of `out`, as far as the limit allows it, and returns the length
/// with it. What `out` says of its length stays as it is.
#[cold]
fn grow(out: &mut Vec<u8>, len: usize, piece: &[u8], limit: usize) -> usize {
    // Never so long that a word behind it would be beyond all numbers.
    let end = len.saturating_add(piece.len()).min(isize::MAX as usize);
    if end > limit {
        return end;
    }
    let before = out.len();
    // SAFETY: all pieces so far are there, since their end is within the limit. Otherwise they would be lost where the
    // vector moves.
    unsafe { out.set_len(len) };
    // How much follows is unknown: twice as much keeps the number of copies small.
    let wanted = end.max(2 * out.capacity()).max(LEAST_ROOM).min(limit);
    out.reserve_exact(wanted - len);
    out.extend_from_slice(piece);
    out.truncate(before);
    end
}

/// The longest word.
const WIDE: usize = size_of::<u128>();

/// The first room.
const LEAST_ROOM: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(room: &mut Room<'_>) {
        for piece in 0..100_u8 {
            room.append_word([piece; 3]);
            room.append(&[piece; 5]);
            room.append_varint(u64::from(piece) << 8);
            room.append_part([piece; 8], usize::from(piece % 9));
        }
    }

    #[test]
    fn the_vector_changes_at_the_end_alone() {
        let mut out = vec![7];
        fill(&mut Room::new(&mut out, 2000));
        assert_eq!(out, [7]);
        let mut room = Room::new(&mut out, 2000);
        fill(&mut room);
        room.add().unwrap();
        let mut expected = vec![7];
        for piece in 0..100_u8 {
            expected.extend([piece; 8]);
            expected.extend(postcard::to_stdvec(&(u64::from(piece) << 8)).unwrap());
            expected.resize(expected.len() + usize::from(piece % 9), piece);
        }
        assert_eq!(out, expected);
    }

    #[test]
    fn what_is_above_the_limit_is_counted() {
        for room in [1, 12, 200] {
            let mut out = Vec::with_capacity(room);
            out.push(7);
            let mut room = Room::new(&mut out, 12);
            room.append(&[1; 10]);
            room.append(&[2; 100]);
            room.append_word([3; 2]);
            room.append_varint(u64::MAX);
            assert_eq!(room.add(), Err(123));
            assert_eq!(out, [7]);
            assert!(out.capacity() <= 200);
        }
    }

    #[test]
    fn no_room_is_needed_beyond_the_limit() {
        let mut out = Vec::new();
        let mut room = Room::new(&mut out, 71);
        (0..60).for_each(|_| room.append_word([1]));
        room.append_varint(u64::MAX);
        room.append_word([1]);
        room.add().unwrap();
        assert_eq!((out.len(), out.capacity()), (71, 71));
    }
}
