//! The runtime of `#[rpc_parallel::main]`.

use std::time::Duration;

use tokio::{
    net::UnixDatagram,
    runtime::{Builder, Handle, Runtime},
};

use crate::panic;

/// Whether this code runs in a runtime with I/O and time. tokio can be asked for the two only by using them.
pub(crate) fn is_here() -> bool {
    let uses = || {
        drop(tokio::time::sleep(Duration::ZERO));
        drop(UnixDatagram::unbound());
    };
    // Where a panic ends the program it is not for asking questions: tokio's own says what is missing.
    Handle::try_current().is_ok() && (cfg!(panic = "abort") || panic::succeeds(uses))
}

/// Which runtime `#[rpc_parallel::main]` asks for.
#[derive(Clone, Copy, Debug)]
pub enum Flavor {
    /// `flavor = "current_thread"`
    CurrentThread,
    /// `flavor = "multi_thread"`, with this many threads.
    MultiThread(Option<usize>),
}

/// Starts the runtime.
///
/// # Panics
///
/// If the system gives it no threads or descriptors, as `#[tokio::main]` does: there is no program without it.
pub fn runtime(flavor: Flavor) -> Runtime {
    let mut builder = match flavor {
        Flavor::CurrentThread => Builder::new_current_thread(),
        Flavor::MultiThread(threads) => {
            let mut builder = Builder::new_multi_thread();
            if let Some(threads) = threads {
                builder.worker_threads(threads);
            }
            builder
        }
    };
    match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("the runtime of #[rpc_parallel::main] cannot be started: {error}"),
    }
}
