//! Calls run at the same time and share the worker.
//! Write `&self`, and keep what changes in a `Mutex` or an atomic.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&mut self, n: u64);
}

fn main() {}
