//! The worker goes on after the call: no call can consume it.
//! Write `&self`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn finish(self) -> u64;
}

fn main() {}
