//! Tells the kernel what large buffers are for.

use std::mem::MaybeUninit;

/// Buffers from this size on are worth larger pages. Smaller ones the allocator soon has in use, and reuses.
pub(crate) const LARGE: usize = 8 << 20;

/// Says that the room of a fresh buffer is about to be filled as a whole. It then gets larger pages, where the system has
/// them, for a fault on each small page costs several times what is copied into it.
///
/// The room should be the whole allocation: one whose parts differ in this cannot grow in place.
pub(crate) fn will_be_filled(room: &mut [MaybeUninit<u8>]) {
    if room.len() >= LARGE {
        prefer_huge_pages(room);
    }
}

#[cfg(target_os = "linux")]
fn prefer_huge_pages(room: &mut [MaybeUninit<u8>]) {
    let page = rustix::param::page_size();
    // The allocator's own header is in front of it, on the same page.
    let before = room.as_ptr().addr() % page;
    let start = room.as_mut_ptr().wrapping_byte_sub(before);
    let len = (before + room.len()).next_multiple_of(page);
    // SAFETY: the pages are those on which the room lies, so they are mapped. The advice changes no content, also not
    // that of what else may be on the first and the last page, and neither its failure nor its lasting beyond the
    // buffer's life is of any consequence but for speed.
    unsafe { libc::madvise(start.cast(), len, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages(_: &mut [MaybeUninit<u8>]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_room_will_do() {
        for size in [0, 1, LARGE - 1, LARGE, LARGE + 12_345] {
            let mut buffer = Vec::<u8>::with_capacity(size);
            for skip in [0, 1, 4096] {
                will_be_filled(buffer.spare_capacity_mut().get_mut(skip..).unwrap_or_default());
            }
            buffer.resize(size, 7);
            assert!(buffer.iter().all(|byte| *byte == 7));
        }
    }
}
