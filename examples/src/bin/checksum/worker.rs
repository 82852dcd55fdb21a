//! What runs in the worker processes.

use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, ErrorKind, Read},
    sync::{Mutex, PoisonError},
};

use rpc_parallel::{Init, WorkerContext};
use sha2::{Digest, Sha256};

/// Reads are this large: few enough of them, and the data is still in the core's cache when it is hashed.
const CHUNK: usize = 128 << 10;

/// The SHA-256 of a file, or why it could not be read.
pub(crate) type FileDigest = Result<[u8; 32], String>;

#[rpc_parallel::worker]
pub(crate) trait Checksum {
    /// The digest of each of the files. The paths are `OsString`s because file names need not be UTF-8, which a `PathBuf`
    /// must be to be serialised.
    ///
    /// A plain `fn` has a thread of its own: it may read and compute without a thought for other calls.
    fn digests(&self, paths: &[OsString]) -> Vec<FileDigest>;
}

pub(crate) struct ChecksumWorker {
    /// Also makes the calls take turns, so that a worker uses one core. Those that wait are here already when their turn
    /// comes.
    buffer: Mutex<Box<[u8]>>,
}

impl Init for ChecksumWorker {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { buffer: Mutex::new(vec![0; CHUNK].into_boxed_slice()) })
    }
}

#[rpc_parallel::worker]
impl Checksum for ChecksumWorker {
    fn digests(&self, paths: &[OsString]) -> Vec<FileDigest> {
        // A buffer has no state that a panic could break.
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        paths.iter().map(|path| digest(path, &mut buffer).map_err(|error| error.to_string())).collect()
    }
}

fn digest(path: &OsStr, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(n) => hash.update(&buffer[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
