//! The runtime of `#[rpc_parallel::main]`.

use std::{cell::Cell, pin::Pin, time::Duration};

use tokio::{
    net::UnixDatagram,
    runtime::{Builder, Handle, Id, Runtime},
    task::AbortHandle,
};

use crate::panic;

/// Whether this code runs in a runtime with I/O and time. tokio can be asked for the two only by using them, which costs
/// a socket: once for each runtime and thread.
pub(crate) fn is_here() -> bool {
    thread_local! {
        static FOUND: Cell<Option<Id>> = const { Cell::new(None) };
    }
    let Ok(runtime) = Handle::try_current() else { return false };
    let id = Some(runtime.id());
    if FOUND.get() == id {
        return true;
    }
    let uses = || {
        drop(tokio::time::sleep(Duration::ZERO));
        drop(UnixDatagram::unbound());
    };
    // Where a panic ends the program it is not for asking questions: tokio's own says what is missing.
    let complete = cfg!(panic = "abort") || panic::succeeds(uses);
    if complete {
        FOUND.set(id);
    }
    complete
}

/// Which runtime `#[rpc_parallel::main]` asks for.
#[derive(Clone, Copy, Debug)]
pub enum Flavor {
    /// `flavor = "current_thread"`
    CurrentThread,
    /// `flavor = "multi_thread"`, with this many threads.
    MultiThread(Option<usize>),
}

/// Runs the program in a runtime.
///
/// # Panics
///
/// If the system gives the runtime no threads or descriptors, as `#[tokio::main]` does: there is no program without it.
pub fn block_on<T>(flavor: Flavor, main: impl Future<Output = T>) -> T {
    erased(main, |main| start_and_run(flavor, main))
}

/// Runs `main` to its end.
pub(crate) fn run<T>(runtime: &Runtime, main: impl Future<Output = T>) -> T {
    erased(main, |main| run_erased(runtime, main))
}

/// Has `main` run to its end by what does not know its type. tokio has three ways to do so, each with all of `main` in it if it
/// knew the type; and a runtime is put together and taken apart by much code, which a program does not need another time.
fn erased<T>(main: impl Future<Output = T>, run: impl FnOnce(Main<'_>)) -> T {
    let mut output = None;
    let place = &mut output;
    run(Box::pin(async move { *place = Some(main.await) }));
    match output {
        Some(output) => output,
        None => unreachable!("the runtime has run it to its end"),
    }
}

/// The program, its type forgotten.
type Main<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

#[inline(never)]
fn run_erased(runtime: &Runtime, main: Main<'_>) {
    runtime.block_on(main);
}

#[inline(never)]
fn start_and_run(flavor: Flavor, main: Main<'_>) {
    run_erased(&start(flavor), main);
}

/// A task whose type is forgotten.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a task in the current runtime. tokio has some ten pieces of code for each type of task, for each kind of runtime.
#[inline(never)]
pub(crate) fn spawn(task: Task) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}

fn start(flavor: Flavor) -> Runtime {
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
