//! An iterator cannot travel.
//! Return a `Vec<T>`, or `impl Stream<Item = T>` from an `async fn`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn numbers(&self) -> impl Iterator<Item = u64>;
}

fn main() {}
