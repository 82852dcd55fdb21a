//! Every function is called on a worker.
//! Write `&self`, or put `#[rpc(local)]` on what is no call.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(n: u64) -> u64;
}

fn main() {}
