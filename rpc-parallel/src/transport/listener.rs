//! A worker's listening socket, which only processes of the same user can reach.

use std::{
    io,
    os::unix::net::{UnixListener as StdListener, UnixStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::net::UnixListener;

use crate::{id::WorkerId, transport::Address};

/// A socket that accepts connections of the same user's processes.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: UnixListener,
    address: Address,
    #[cfg(not(target_os = "linux"))]
    _directory: directory::PrivateDirectory,
}

impl Listener {
    /// Listens at an address made for this worker.
    #[cfg(target_os = "linux")]
    pub(crate) fn bind(worker: WorkerId) -> io::Result<Self> {
        use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};

        // Without a file nothing is left behind, however this process ends.
        let name = format!("rpc-parallel/{worker}");
        let listener = StdListener::bind_addr(&SocketAddr::from_abstract_name(name.as_bytes())?)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, address: Address::Abstract(name) })
    }

    /// Listens at an address made for this worker.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn bind(worker: WorkerId) -> io::Result<Self> {
        let directory = directory::PrivateDirectory::create(worker)?;
        let path = directory.path().join("s");
        let listener = StdListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, address: Address::Path(path), _directory: directory })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Waits for the next connection of a process of our own user; others are turned away.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            // An abstract socket has no permissions: the kernel's word on who connects is the gate.
            let Ok(peer) = stream.peer_cred() else { continue };
            if peer.uid() == rustix::process::geteuid().as_raw() {
                return stream.into_std();
            }
        }
    }
}

/// Connects to a worker on this machine and makes sure that it runs as the same user.
///
/// A worker that does not take connections for so long counts as unreachable.
pub(crate) async fn connect(address: &Address, limit: Duration) -> io::Result<UnixStream> {
    let given_up = Instant::now() + limit;
    // A path that begins with a zero byte names a socket without a file.
    let path = match address {
        Address::Abstract(name) => PathBuf::from(format!("\0{name}")),
        Address::Path(path) => path.clone(),
    };
    let stream = loop {
        match tokio::net::UnixStream::connect(&path).await {
            // The listener's queue is full, which no readiness event would end.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < given_up => {
                tokio::time::sleep(QUEUE_FULL_PAUSE).await;
            }
            other => break other?,
        }
    };
    // Whoever has taken a dead worker's name is not the worker.
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user's process listens there"));
    }
    stream.into_std()
}

/// How long to wait before a connect is tried again that met a full queue.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);

#[cfg(not(target_os = "linux"))]
mod directory {
    use std::{
        fs, io,
        os::unix::fs::DirBuilderExt,
        path::{Path, PathBuf},
    };

    use crate::id::WorkerId;

    /// A directory that only its owner can enter, removed with everything in it when dropped.
    #[derive(Debug)]
    pub(super) struct PrivateDirectory(PathBuf);

    impl PrivateDirectory {
        pub(super) fn create(worker: WorkerId) -> io::Result<Self> {
            let path = std::env::temp_dir().join(format!("rpc-parallel-{worker}"));
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            Ok(Self(path))
        }

        pub(super) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for PrivateDirectory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
