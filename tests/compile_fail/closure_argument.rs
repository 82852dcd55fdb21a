//! Code cannot travel, only data can.
//! Take data that says what to do.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn apply(&self, f: impl Fn(u64) -> u64) -> u64;
}

fn main() {}
