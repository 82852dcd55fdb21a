//! Finds the regular files, sorted by the bytes of their paths.
//!
//! The order is found while walking, so that neither a list of all files is needed nor the whole walk before the first
//! result: a heap holds what is known and not visited yet. A directory is in it as `directory/`, which sorts before, or
//! as, whatever it contains, so that the least entry of the heap is always next.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    ffi::{OsStr, OsString},
    fs, io, mem,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use tokio::sync::mpsc;

use crate::output::Console;

/// A batch is full when it has this many files: enough to make the cost of a call vanish.
const BATCH_FILES: usize = 64;
/// It is also full when its files have this many bytes, so that large files are spread over the workers.
const BATCH_BYTES: u64 = 4 << 20;

/// Files that go to a worker together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) paths: Vec<OsString>,
    /// Their sizes by the time of the walk, summed.
    pub(crate) bytes: u64,
}

/// What is to be visited. The derived order compares the paths first.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Entry {
    path: Vec<u8>,
    kind: Kind,
}

#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Directory,
    File { size: u64 },
}

impl Entry {
    fn file(path: Vec<u8>, size: u64) -> Self {
        Self { path, kind: Kind::File { size } }
    }

    fn directory(mut path: Vec<u8>) -> Self {
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        Self { path, kind: Kind::Directory }
    }
}

/// Walks, and sends what it finds until there is nothing left or nobody takes it. It blocks, so it wants a thread.
///
/// What cannot be read is told on the console; the rest is found nevertheless.
pub(crate) fn walk(roots: Vec<OsString>, found: &mpsc::Sender<Batch>, console: &Console) {
    let mut heap = BinaryHeap::new();
    for root in roots {
        match fs::symlink_metadata(&root) {
            Ok(metadata) if metadata.is_file() => heap.push(Reverse(Entry::file(root.into_vec(), metadata.len()))),
            Ok(metadata) if metadata.is_dir() => heap.push(Reverse(Entry::directory(root.into_vec()))),
            // Links, devices and the like.
            Ok(_) => {}
            Err(error) => console.complain(&root, &error),
        }
    }
    let mut batch = Batch::default();
    while let Some(Reverse(Entry { path, kind })) = heap.pop() {
        match kind {
            Kind::Directory => {
                let path = OsString::from_vec(path);
                if let Err(error) = list(&path, &mut heap, console) {
                    console.complain(&path, &error);
                }
            }
            Kind::File { size } => {
                console.found(size);
                batch.paths.push(OsString::from_vec(path));
                batch.bytes = batch.bytes.saturating_add(size);
                let full = batch.paths.len() >= BATCH_FILES || batch.bytes >= BATCH_BYTES;
                if full && found.blocking_send(mem::take(&mut batch)).is_err() {
                    return;
                }
            }
        }
    }
    if !batch.paths.is_empty() {
        // Nobody takes it when the program is about to end.
        let _ = found.blocking_send(batch);
    }
}

/// Adds what a directory contains.
fn list(directory: &OsStr, heap: &mut BinaryHeap<Reverse<Entry>>, console: &Console) -> io::Result<()> {
    for child in fs::read_dir(directory)? {
        let child = child?;
        // Not `Path::join`, which would add a slash where `directory` has one already.
        let mut path = directory.to_owned();
        path.push(child.file_name());
        match visit(&child, path.as_bytes()) {
            Ok(entry) => heap.extend(entry.map(Reverse)),
            Err(error) => console.complain(&path, &error),
        }
    }
    Ok(())
}

/// Most entries of a directory tell their type; only a file's size costs a look at the file itself.
fn visit(child: &fs::DirEntry, path: &[u8]) -> io::Result<Option<Entry>> {
    let kind = child.file_type()?;
    Ok(if kind.is_file() {
        Some(Entry::file(path.to_owned(), child.metadata()?.len()))
    } else if kind.is_dir() {
        Some(Entry::directory(path.to_owned()))
    } else {
        None
    })
}
