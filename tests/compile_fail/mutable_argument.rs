//! The worker has a copy of each argument: what it changes there is never seen by the caller.
//! Take the value and return the new one.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn sort(&self, numbers: &mut Vec<u64>);
}

fn main() {}
