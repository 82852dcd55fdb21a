//! One direction: bytes that one side writes and the other reads.

use std::{
    io,
    mem::MaybeUninit,
    sync::{
        Arc,
        atomic::{Ordering, fence},
    },
};

use super::region::Region;

/// Bytes on their way, of one direction. It fits into the caches, and holds several batches of items.
pub(super) const CAPACITY: usize = 256 << 10;

/// So many bytes are copied before the other side may see them: it then works on these while the next are copied.
const STEP: usize = 32 << 10;

/// Where the numbers of a direction are, from its first one on. Who writes one and who writes the next do not share a cache
/// line, nor two of which a CPU fetches one with the other.
const WRITTEN: usize = 0;
const BEGIN: usize = 8;
const READ: usize = 128;
const READER_SLEEPS: usize = 256;
const WRITER_WAITS: usize = 384;

/// From so many bytes on the writer begins at the start of the memory again as soon as the reader has read all: as long as they
/// keep up with each other they use the same few pages, which stay in the caches.
const AGAIN: u64 = 32 << 10;

/// The numbers of both directions are on the first page.
const NUMBERS: usize = 512;
const PAGE: usize = 4096;

/// The memory of both directions.
pub(super) const SIZE: usize = PAGE + 2 * CAPACITY;

/// A direction, by where it is in the memory.
#[derive(Debug)]
struct Ring {
    region: Arc<Region>,
    numbers: usize,
    bytes: usize,
}

/// The writing end.
#[derive(Debug)]
pub(super) struct Writer {
    ring: Ring,
    /// All bytes ever written. What the memory says of it is for the other side: it could be changed there.
    written: u64,
    /// What the other side is known to have read of them.
    read: u64,
    /// The byte that is at the start of the memory.
    begin: u64,
}

/// The reading end.
#[derive(Debug)]
pub(super) struct Reader {
    ring: Ring,
    /// All bytes ever read.
    read: u64,
    /// The other side is to ring the bell when it writes.
    sleeps: bool,
}

/// What the other side must be told after something was read or written.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "the other side may sleep"]
pub(super) enum Tell {
    /// It sees for itself.
    Nothing,
    /// Its bell must be rung.
    Ring,
}

impl Ring {
    fn new(region: &Arc<Region>, direction: usize) -> Self {
        let (numbers, bytes) = (direction * NUMBERS, PAGE + direction * CAPACITY);
        Self { region: Arc::clone(region), numbers, bytes }
    }

    #[inline]
    fn load(&self, number: usize) -> u64 {
        self.region.number(self.numbers + number).load(Ordering::Acquire)
    }

    #[inline]
    fn store(&self, number: usize, value: u64) {
        self.region.number(self.numbers + number).store(value, Ordering::Release);
    }

    /// Whether this flag was set, after what was done before is visible. It is not any more.
    #[inline]
    fn take_flag(&self, flag: usize) -> Tell {
        // The other side sets its flag and then looks again; here something is done and then the flag looked at. With a full
        // barrier on both sides at least one of them sees what the other has done.
        fence(Ordering::SeqCst);
        let flag = self.region.number(self.numbers + flag);
        match flag.load(Ordering::Relaxed) != 0 && flag.swap(0, Ordering::Relaxed) != 0 {
            true => Tell::Ring,
            false => Tell::Nothing,
        }
    }

    #[inline]
    fn set_flag(&self, flag: usize) {
        self.region.number(self.numbers + flag).store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// How many bytes there are between these places.
    #[inline]
    fn between(written: u64, read: u64) -> io::Result<usize> {
        match usize::try_from(written.wrapping_sub(read)) {
            Ok(bytes @ ..=CAPACITY) => Ok(bytes),
            _ => Err(damaged()),
        }
    }

    /// Where this byte is if that one is at the start of the memory, and how many follow it without a break.
    #[inline]
    fn place(&self, byte: u64, begin: u64) -> (usize, usize) {
        let at = byte.wrapping_sub(begin) as usize % CAPACITY;
        (self.bytes + at, CAPACITY - at)
    }
}

/// The numbers cannot be: the other side has not kept to its own.
#[cold]
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the peer has damaged the shared memory")
}

impl Writer {
    pub(super) fn new(region: &Arc<Region>, direction: usize) -> Self {
        Self { ring: Ring::new(region, direction), written: 0, read: 0, begin: 0 }
    }

    /// Writes as much as there is room for, and says whether the reader sleeps.
    #[inline]
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<(usize, Tell)> {
        let len = bytes.len();
        let mut tell = Tell::Nothing;
        if self.written.wrapping_sub(self.begin) >= AGAIN {
            self.begin_again();
        }
        while !bytes.is_empty() {
            let room = self.room(bytes.len().min(STEP))?;
            if room == 0 {
                break;
            }
            let (at, unbroken) = self.ring.place(self.written, self.begin);
            let (part, rest) = bytes.split_at(bytes.len().min(STEP).min(room).min(unbroken));
            self.ring.region.write(at, part);
            self.written = self.written.wrapping_add(part.len() as u64);
            self.ring.store(WRITTEN, self.written);
            bytes = rest;
            // The reader of a long message can begin with its first part.
            if tell == Tell::Nothing {
                tell = self.ring.take_flag(READER_SLEEPS);
            }
        }
        Ok((len - bytes.len(), tell))
    }

    /// Writes at the start of the memory again, if all was read. The reader looks for the start once it sees that something
    /// was written after that.
    #[inline(never)]
    fn begin_again(&mut self) {
        self.read = self.ring.load(READ);
        if self.read == self.written {
            self.begin = self.written;
            self.ring.store(BEGIN, self.begin);
        }
    }

    /// How much room there is, of which so much is wanted.
    #[inline]
    fn room(&mut self, wanted: usize) -> io::Result<usize> {
        let room = CAPACITY - Ring::between(self.written, self.read)?;
        if room >= wanted {
            return Ok(room);
        }
        self.read = self.ring.load(READ);
        Ok(CAPACITY - Ring::between(self.written, self.read)?)
    }

    /// Asks for the bell when there is room again. Returns whether there is some already.
    pub(super) fn wait(&mut self) -> io::Result<bool> {
        self.ring.set_flag(WRITER_WAITS);
        self.read = self.ring.load(READ);
        Ok(Ring::between(self.written, self.read)? < CAPACITY)
    }
}

impl Reader {
    pub(super) fn new(region: &Arc<Region>, direction: usize) -> Self {
        Self { ring: Ring::new(region, direction), read: 0, sleeps: false }
    }

    /// Whether there is something to read.
    #[inline]
    pub(super) fn has_bytes(&self) -> bool {
        self.ring.load(WRITTEN) != self.read
    }

    /// Fills a part of the room with what comes next, nothing if there is nothing, and says whether the writer waits for the
    /// room that there is now.
    #[inline]
    pub(super) fn read(&mut self, room: &mut [MaybeUninit<u8>]) -> io::Result<(usize, Tell)> {
        let there = Ring::between(self.ring.load(WRITTEN), self.read)?;
        // Stored before what was written, and never while there is something to read.
        let (at, unbroken) = self.ring.place(self.read, self.ring.load(BEGIN));
        let part = room.len().min(there).min(unbroken).min(STEP);
        if part == 0 {
            return Ok((0, Tell::Nothing));
        }
        if let Some(room) = room.get_mut(..part) {
            self.ring.region.read(at, room);
        }
        self.read = self.read.wrapping_add(part as u64);
        self.ring.store(READ, self.read);
        // A writer waits only where there is no room at all, and whoever reads does not sleep before there is nothing left: so
        // with less than that there, or seen to be there, a later read finds it waiting.
        Ok((part, if there > CAPACITY / 2 { self.ring.take_flag(WRITER_WAITS) } else { Tell::Nothing }))
    }

    /// Asks for the bell when something comes. Returns whether there is something already.
    #[inline]
    pub(super) fn sleep(&mut self) -> bool {
        self.sleeps = true;
        self.ring.set_flag(READER_SLEEPS);
        self.has_bytes()
    }

    /// Asks for the bell no longer.
    #[inline]
    pub(super) fn wake(&mut self) {
        if std::mem::take(&mut self.sleeps) {
            self.ring.store(READER_SLEEPS, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Writer, Reader, Arc<Region>) {
        let (region, _) = Region::create(SIZE).unwrap();
        let region = Arc::new(region);
        (Writer::new(&region, 1), Reader::new(&region, 1), region)
    }

    fn read_all(reader: &mut Reader, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let mut room = [MaybeUninit::uninit(); 10_000];
            let (read, _) = reader.read(&mut room).unwrap();
            if read == 0 {
                break;
            }
            // SAFETY: so much was filled.
            bytes.extend(room[..read].iter().map(|byte| unsafe { byte.assume_init() }));
        }
        bytes
    }

    #[test]
    fn what_is_written_is_read_around_the_end_of_the_memory() {
        let (mut writer, mut reader, _region) = pair();
        let message: Vec<u8> = (0..100_003u32).map(|n| (n % 251) as u8).collect();
        for _ in 0..20 {
            assert_eq!(writer.write(&message).unwrap(), (message.len(), Tell::Nothing));
            assert!(reader.has_bytes());
            assert!(read_all(&mut reader, message.len()) == message);
            assert!(!reader.has_bytes());
        }
    }

    #[test]
    fn who_keeps_up_stays_at_the_start_of_the_memory() {
        let (mut writer, mut reader, _region) = pair();
        let message: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let mut furthest = 0;
        for round in 0..200 {
            assert_eq!(writer.write(&message).unwrap(), (message.len(), Tell::Nothing));
            furthest = furthest.max(writer.written - writer.begin);
            // Now and then it does not, and nothing that is still to be read is written over.
            if round % 10 < 7 {
                let waiting = if round % 10 == 0 && round > 0 { 4 } else { 1 };
                assert!(read_all(&mut reader, waiting * message.len()) == message.repeat(waiting));
            }
        }
        assert!(furthest < 90_000, "{furthest}");
        let (mut writer, mut reader, _region) = pair();
        for _ in 0..200 {
            assert_eq!(writer.write(&message).unwrap().0, message.len());
            assert!(read_all(&mut reader, message.len()) == message);
            assert!(writer.written - writer.begin < AGAIN + 20_000);
        }
    }

    #[test]
    fn a_full_ring_takes_what_fits_and_tells_the_writer_of_room() {
        let (mut writer, mut reader, _region) = pair();
        let message = vec![7; CAPACITY + 5];
        assert_eq!(writer.write(&message).unwrap().0, CAPACITY);
        assert_eq!(writer.write(b"x").unwrap().0, 0);
        assert!(!writer.wait().unwrap());
        assert_eq!(reader.read(&mut [MaybeUninit::uninit(); 9]).unwrap(), (9, Tell::Ring));
        assert_eq!(reader.read(&mut [MaybeUninit::uninit(); 9]).unwrap(), (9, Tell::Nothing));
        assert!(writer.wait().unwrap());
        assert_eq!(writer.write(&message).unwrap().0, 18);
        assert_eq!(read_all(&mut reader, usize::MAX).len(), CAPACITY);
    }

    #[test]
    fn a_reader_that_sleeps_is_told_once() {
        let (mut writer, mut reader, _region) = pair();
        assert!(!reader.sleep());
        assert_eq!(writer.write(b"a").unwrap().1, Tell::Ring);
        assert_eq!(writer.write(b"b").unwrap().1, Tell::Nothing);
        assert!(reader.sleep());
        reader.wake();
        assert_eq!(writer.write(b"c").unwrap().1, Tell::Nothing);
    }

    #[test]
    fn numbers_that_cannot_be_are_an_error() {
        // More than there can be, and less than there was: neither is between 0 and the capacity.
        for number in [4 + CAPACITY as u64, u64::MAX / 2, 1 << 40] {
            let (mut writer, mut reader, region) = pair();
            assert_eq!(writer.write(b"abc").unwrap(), (3, Tell::Nothing));
            reader.ring.store(WRITTEN, number);
            assert!(reader.read(&mut [MaybeUninit::uninit(); 9]).is_err());
            region.number(NUMBERS + READ).store(number, Ordering::Relaxed);
            assert!(writer.wait().is_err());
            assert!(writer.write(&[0; CAPACITY]).is_err());
        }
    }
}
