//! Memory that two processes share.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    ptr::{self, NonNull},
    slice,
    sync::atomic::AtomicU64,
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

/// A mapping of memory that another process has mapped too, and may write to at any time.
#[derive(Debug)]
pub(super) struct Region {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is not bound to a thread, and every access goes through an atomic or is a copy of plain bytes.
unsafe impl Send for Region {}
// SAFETY: the same.
unsafe impl Sync for Region {}

/// Without these the other side could shrink the memory under our feet, and the next access would be a SIGBUS.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

impl Region {
    /// New memory of this size, all of it zero, and the descriptor by which another process finds it.
    pub(super) fn create(len: usize) -> io::Result<(Self, OwnedFd)> {
        let memory = memfd_create("rpc-parallel", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&memory, len as u64)?;
        fcntl_add_seals(&memory, SEALS)?;
        Ok((Self::map(&memory, len)?, memory))
    }

    /// Memory of this size that another process has made.
    pub(super) fn open(memory: &OwnedFd, len: usize) -> io::Result<Self> {
        let sealed = fcntl_get_seals(memory)?.contains(SEALS);
        if !sealed || u64::try_from(fstat(memory)?.st_size) != Ok(len as u64) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not the memory that was agreed on"));
        }
        Self::map(memory, len)
    }

    fn map(memory: impl AsFd, len: usize) -> io::Result<Self> {
        // SAFETY: a new mapping, at a place that the kernel chooses, changes no memory that is in use.
        let base =
            unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, memory, 0) }?;
        match NonNull::new(base.cast()) {
            Some(base) => Ok(Self { base, len }),
            None => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    /// The number at this place, which both sides read and write.
    ///
    /// # Panics
    ///
    /// If the place is not in the memory, or not aligned.
    #[inline]
    pub(super) fn number(&self, at: usize) -> &AtomicU64 {
        assert!(at.is_multiple_of(size_of::<u64>()) && at + size_of::<u64>() <= self.len, "a place in the memory");
        // SAFETY: the place is in the mapping, which lives as long as `self` and begins at a page, so it is aligned. The
        // memory is sealed, so it cannot shrink. Both sides use atomics there; whatever the other one writes is a number.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    /// Writes bytes to this place.
    ///
    /// # Panics
    ///
    /// If they do not fit.
    #[inline]
    pub(super) fn write(&self, at: usize, bytes: &[u8]) {
        assert!(at <= self.len && bytes.len() <= self.len - at, "bytes in the memory");
        // SAFETY: the place is in the mapping, of which there are no references to anything but atomics elsewhere in it. The
        // other side reads it only once it is told to; if it does earlier it gets any bytes, which is its own fault.
        unsafe { copy(bytes.as_ptr(), self.base.as_ptr().add(at), bytes.len()) };
    }

    /// Fills the room with the bytes from this place on.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[inline]
    pub(super) fn read<'a>(&self, at: usize, room: &'a mut [MaybeUninit<u8>]) -> &'a mut [u8] {
        assert!(at <= self.len && room.len() <= self.len - at, "bytes in the memory");
        // SAFETY: the place is in the mapping, and the room is memory of our own. A peer that writes there meanwhile makes
        // the copy any bytes, as if it had sent them: nothing is judged before it is copied, and never looked at again.
        unsafe { copy(self.base.as_ptr().add(at), room.as_mut_ptr().cast(), room.len()) };
        // SAFETY: all of it was written just now.
        unsafe { slice::from_raw_parts_mut(room.as_mut_ptr().cast(), room.len()) }
    }
}

/// C libraries copy some KiB and more by `rep movsb`, which on Zen 3 takes fifteen times as long if the bytes go to a place that is
/// less than this further into its page than they were (16 bytes are slow, 32 are not). It is often so: what is allocated by
/// itself begins 16 bytes into a page, and a message in the memory a few bytes behind its header.
const NEXT_TO: usize = 64;

/// Then so much is copied at once, for which C libraries use other instructions.
const PIECE: usize = 2 << 10;

/// The size of a page.
const PAGE: usize = 4 << 10;

/// Copies so many bytes.
///
/// # Safety
///
/// As for [`ptr::copy_nonoverlapping`].
#[inline]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    let ahead = to.addr().wrapping_sub(from.addr()) % PAGE;
    let most = if ahead > 0 && ahead < NEXT_TO { PIECE } else { len };
    let mut done = 0;
    while done < len {
        let piece = most.min(len - done);
        // SAFETY: the caller's, of a part.
        unsafe { ptr::copy_nonoverlapping(from.add(done), to.add(done), piece) };
        done += piece;
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: nobody has a reference into it any more, for they live no longer than `self`.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn both_sides_see_what_the_other_writes() {
        let (ours, memory) = Region::create(8192).unwrap();
        let theirs = Region::open(&memory, 8192).unwrap();
        ours.number(64).store(7, Ordering::Release);
        ours.write(8190, b"ab");
        assert_eq!(theirs.number(64).load(Ordering::Acquire), 7);
        assert_eq!(theirs.read(8190, &mut [MaybeUninit::uninit(); 2]), b"ab");
    }

    #[test]
    fn memory_that_may_shrink_or_has_another_size_is_refused() {
        let (_, memory) = Region::create(8192).unwrap();
        assert!(ftruncate(&memory, 4096).is_err());
        assert!(Region::open(&memory, 4096).is_err());
        let loose = memfd_create("loose", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&loose, 8192).unwrap();
        assert!(Region::open(&loose, 8192).is_err());
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        assert!(Region::open(&file, 0).is_err());
    }
}
