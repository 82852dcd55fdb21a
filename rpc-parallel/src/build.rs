//! Which build of a program this process runs.

use std::sync::OnceLock;

use crate::{id::BuildId, process::image, registry::Registry};

static BUILD: OnceLock<BuildId> = OnceLock::new();

/// The build of this process, the same in every process that runs the same image.
///
/// It is the build id that the linker has written into the executable. Without one it is a digest of the worker
/// traits and functions that are linked in, with their signatures, and of the size and time of the executable.
pub(crate) fn build_id() -> BuildId {
    *BUILD.get_or_init(|| {
        image::build_id().map_or_else(
            || {
                let digest = Registry::global().map(Registry::digest).unwrap_or_default();
                BuildId::from_bytes(image::stamp(digest))
            },
            BuildId::from_bytes,
        )
    })
}

/// A worker of the same image is told by its spawner.
pub(crate) fn set_build_id(build: BuildId) {
    // Set already only if this process had to find it out, with the same result.
    let _ = BUILD.set(build);
}
