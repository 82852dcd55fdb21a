//! Methods of every shape: they expand without a warning and are called directly, with no process.
#![deny(warnings)]

mod entry;
mod generic;
mod places;
mod shapes;
mod spawn;

/// Runs a future to its end.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
