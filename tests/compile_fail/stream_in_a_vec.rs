//! A stream is an argument of its own.
//! Write `name: impl Stream<Item = T>` for each of them.

use futures_util::Stream;
use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn merge(&self, all: Vec<impl Stream<Item = u64>>) -> u64;
}

fn main() {}
