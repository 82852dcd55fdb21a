//! An iterator cannot travel.
//! Take a `&[T]`, or `impl Stream<Item = T>` where the items come over time.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
}

fn main() {}
