//! Which build of a program this process runs.

use std::sync::OnceLock;

use crate::{
    hash::hash_parts,
    id::BuildId,
    process::{build_note::build_note, executable},
    registry::Registry,
};

static BUILD: OnceLock<BuildId> = OnceLock::new();

/// The build of this process, the same in every process that runs the same image.
///
/// It is the build id that the linker has written into the executable. Without one it is made of the worker traits
/// and functions that are linked in, with their signatures, and of which file the executable is.
pub(crate) fn build_id() -> BuildId {
    *BUILD.get_or_init(|| {
        BuildId::from_bytes(build_note().unwrap_or_else(|| {
            let mut bytes = Registry::global().map(Registry::digest).unwrap_or_default();
            let stamp = hash_parts(&["executable", &executable::stamp().unwrap_or_default()]);
            bytes[..8].copy_from_slice(&stamp.to_be_bytes());
            bytes
        }))
    })
}

/// A worker of the same image is told by its spawner.
pub(crate) fn set_build_id(build: BuildId) {
    // Set already only if this process had to find it out, with the same result.
    let _ = BUILD.set(build);
}
