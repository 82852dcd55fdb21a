//! A test that has this process for itself.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use rpc_parallel::Spawn;
use tokio::runtime::{Builder, Runtime};

use crate::{Census, LONG, Probe, wait_until};

/// Runs a test in a runtime of its own while no other such test runs in this process, and fails if it leaves a child,
/// a descriptor, a thread or a file behind.
///
/// `cargo test` runs the tests of a file in threads of one process, where one test's descriptors would be another's leak.
pub fn alone<F: Future>(test: F) -> F::Output {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // What the library starts with the first worker stays for ever and is no leak.
    drop(runtime().block_on(async { Probe::spawn(()).await.unwrap().shutdown().await }));
    // The report of its death comes a moment before its last descriptor is closed.
    assert!(wait_until(LONG, || Census::take().is_idle()), "{:#?}", Census::take());
    let census = Census::take();
    let runtime = runtime();
    let output = runtime.block_on(test);
    drop(runtime);
    census.assert_unchanged();
    output
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
