//! The bounds of a worker trait belong to its type parameters.
//! Put them on the trait.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&self, n: u64)
    where
        Self: Sized;
}

fn main() {}
