//! The end of a vector, to which small pieces are appended.

use super::varint::{SHORT, long_varint, short_varint};

/// The end of a vector, to which pieces are appended, most of them a few bytes.
///
/// Unless it is finished, as after an error or a panic, the vector is as it was.
pub(super) struct Room<'a> {
    out: &'a mut Vec<u8>,
    /// How long the vector was. Once this is finished nothing is longer.
    before: usize,
    /// How many bytes were only counted, because they are beyond the limit and there was no memory for them.
    counted: usize,
    limit: usize,
}

impl<'a> Room<'a> {
    /// The end of `out`, whose length may not exceed `limit`.
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        Self { before: out.len(), counted: 0, limit, out }
    }

    /// Appends a word of at most [`WIDE`] bytes.
    #[inline]
    pub(super) fn append_word<const LEN: usize>(&mut self, word: [u8; LEN]) {
        const { assert!(LEN <= WIDE) };
        if self.has(LEN) { self.out.extend_from_slice(&word) } else { self.grow_word(widen(word), LEN) }
    }

    /// Appends a number, seven bits a byte, the lowest first.
    #[inline]
    pub(super) fn append_varint(&mut self, value: u64) {
        if value < 0x80 { self.append_word([value as u8]) } else { self.append_long(value) }
    }

    /// Appends a piece.
    #[inline]
    pub(super) fn append(&mut self, piece: &[u8]) {
        if self.has(piece.len()) { self.out.extend_from_slice(piece) } else { self.grow(piece) }
    }

    /// Leaves what was appended in the vector: or, if the limit does not allow that, says how long it would be.
    #[inline]
    pub(super) fn finish(mut self) -> Result<(), usize> {
        let len = self.out.len().saturating_add(self.counted);
        if len > self.limit {
            return Err(len);
        }
        self.before = usize::MAX;
        Ok(())
    }

    /// Whether there is memory for so many bytes. What was only counted comes after all that there was memory for.
    #[inline]
    fn has(&self, bytes: usize) -> bool {
        self.out.capacity() - self.out.len() >= bytes && self.counted == 0
    }

    /// Appends a number of at least two bytes. In one place, for there are many numbers in a program.
    #[inline(never)]
    fn append_long(&mut self, value: u64) {
        let (word, used) = if value < SHORT {
            let (word, used) = short_varint(value as u32);
            (u128::from(word), used)
        } else {
            let (first, last, used) = long_varint(value);
            (u128::from(first) | u128::from(last) << 64, used)
        };
        if !self.has(WIDE) {
            return self.grow_word(word, used);
        }
        // A copy of constant length costs less than one of just what is needed.
        let end = self.out.len() + used;
        self.out.extend_from_slice(&word.to_le_bytes());
        self.out.truncate(end);
    }

    /// Like [`grow`](Self::grow), for the first `used` bytes of a word.
    #[cold]
    fn grow_word(&mut self, word: u128, used: usize) {
        self.grow(word.to_le_bytes().get(..used).unwrap_or_default());
    }

    /// Appends a piece for which there may be no memory, as far as the limit allows it.
    #[cold]
    fn grow(&mut self, piece: &[u8]) {
        let end = self.out.len().saturating_add(piece.len());
        if end > self.limit || self.counted > 0 {
            self.counted = self.counted.saturating_add(piece.len());
            return;
        }
        // How much follows is unknown: twice as much keeps the number of copies small.
        let wanted = end.max(2 * self.out.capacity()).max(LEAST_ROOM).min(self.limit);
        self.out.reserve_exact(wanted - self.out.len());
        self.out.extend_from_slice(piece);
    }
}

impl Drop for Room<'_> {
    #[inline]
    fn drop(&mut self) {
        self.out.truncate(self.before);
    }
}

#[inline]
fn widen<const LEN: usize>(word: [u8; LEN]) -> u128 {
    let mut wide = [0; WIDE];
    wide[..LEN].copy_from_slice(&word);
    u128::from_le_bytes(wide)
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
        }
    }

    #[test]
    fn the_vector_changes_at_the_end_alone() {
        let mut out = vec![7];
        fill(&mut Room::new(&mut out, 2000));
        assert_eq!(out, [7]);
        let mut room = Room::new(&mut out, 2000);
        fill(&mut room);
        room.finish().unwrap();
        let mut expected = vec![7];
        for piece in 0..100_u8 {
            expected.extend([piece; 8]);
            expected.extend(postcard::to_stdvec(&(u64::from(piece) << 8)).unwrap());
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
            assert_eq!(room.finish(), Err(123));
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
        room.finish().unwrap();
        assert_eq!((out.len(), out.capacity()), (71, 71));
    }
}
