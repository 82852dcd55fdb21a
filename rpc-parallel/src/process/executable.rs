//! What a child runs, and how this process is called.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// What a child runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Program {
    /// What this process runs.
    #[default]
    SameImage,
    /// This file. A relative path starts at our current directory, not at the child's.
    Path(PathBuf),
}

impl Program {
    /// The file to run.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        match self {
            Self::SameImage => same_image(),
            Self::Path(path) => std::path::absolute(path),
        }
    }

    /// What the child finds as its own name.
    pub(super) fn arg0(&self) -> OsString {
        match self {
            Self::SameImage => our_arg0(),
            Self::Path(path) => path.clone().into(),
        }
    }
}

/// The link leads to the image that runs, also when its file was renamed, replaced or deleted since.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn same_image() -> io::Result<PathBuf> {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// /proc was there, and was not looked for since.
    static FOUND: AtomicBool = AtomicBool::new(false);
    let link = Path::new("/proc/self/exe");
    if FOUND.load(Relaxed) {
        return Ok(link.to_path_buf());
    }
    match link.symlink_metadata() {
        Ok(_) => {
            FOUND.store(true, Relaxed);
            Ok(link.to_path_buf())
        }
        Err(error) => {
            Err(io::Error::new(error.kind(), "/proc is not mounted, so that this program cannot find itself"))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn same_image() -> io::Result<PathBuf> {
    env::current_exe()
}

/// Our own first argument. Before `main` musl has not told std the arguments yet.
fn our_arg0() -> OsString {
    env::args_os()
        .next()
        .filter(|arg| !arg.is_empty())
        .or_else(|| env::current_exe().ok().map(PathBuf::into_os_string))
        .unwrap_or_else(|| "rpc-parallel".into())
}

/// The name of this machine.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether something that a start needs is missing: then the start's error, which names nothing, is about it.
pub(super) fn missing_directory(path: Option<&Path>) -> Option<(PathBuf, io::Error)> {
    let path = path?;
    let error = match path.metadata() {
        Ok(metadata) if metadata.is_dir() => return None,
        Ok(_) => io::Error::from(io::ErrorKind::NotADirectory),
        Err(error) => error,
    };
    Some((path.to_path_buf(), error))
}

/// Identifies the file that this process runs: the same for all processes that run it, whatever its name is now.
pub(crate) fn stamp() -> io::Result<String> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::metadata(same_image()?)?;
    Ok(format!("{} {} {} {} {}", file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
}
