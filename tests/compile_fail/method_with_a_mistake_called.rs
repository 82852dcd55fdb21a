//! A mistake is reported where it is, and not again where the method is called.
//! Correct the first error.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&mut self, n: u64) -> u64;
}

pub async fn run(counter: CounterClient) -> u64 {
    counter.add(1).await.unwrap_or_default()
}

fn main() {}
