//! The build id that the linker has written into the executable.

use std::{fs::File, io::Read, os::unix::fs::FileExt};

use super::executable::same_image;

/// The first 16 bytes of the running image's GNU build id, a hash of its content. `None` where the file is no ELF file
/// of 64 bits in our byte order, or was linked without one.
pub(crate) fn build_note() -> Option<[u8; 16]> {
    let file = File::open(same_image().ok()?).ok()?;
    let mut header = [0; 64];
    (&file).read_exact(&mut header).ok()?;
    if header[..5] != *b"\x7fELF\x02" {
        return None;
    }
    // Offsets in the ELF64 header and its program headers: the System V ABI, chapters 4 and 5.
    let (table, size, count) = (word(&header, 32)?, half(&header, 54)?, half(&header, 56)?);
    let mut table_bytes = vec![0; usize::from(size) * usize::from(count)];
    file.read_exact_at(&mut table_bytes, table).ok()?;
    table_bytes.chunks_exact(usize::from(size).max(1)).find_map(|entry| {
        const NOTE: u32 = 4;
        let (offset, length) = (word(entry, 8)?, word(entry, 32)?);
        if int(entry, 0)? != NOTE || length > MAX_NOTES {
            return None;
        }
        let mut notes = vec![0; length as usize];
        file.read_exact_at(&mut notes, offset).ok()?;
        find(&notes)
    })
}

/// Looks through the notes of one segment: name length, content length, type, name, content, each padded to 4 bytes.
fn find(mut notes: &[u8]) -> Option<[u8; 16]> {
    const GNU_BUILD_ID: u32 = 3;
    loop {
        let (name, content, kind) = (int(notes, 0)? as usize, int(notes, 4)? as usize, int(notes, 8)?);
        let start = 12 + name.next_multiple_of(4);
        if kind == GNU_BUILD_ID && notes.get(12..16)? == b"GNU\0" && content >= 16 {
            return notes.get(start..start + 16)?.try_into().ok();
        }
        notes = notes.get(start + content.next_multiple_of(4)..)?;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn int(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A build id has 36 bytes; other notes are hardly larger.
const MAX_NOTES: u64 = 1 << 16;
