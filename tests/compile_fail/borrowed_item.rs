//! The items of a stream outlive the call that they came with.
//! Write an owned type: `String` for `&str`.

use futures_util::Stream;
use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn count(&self, words: impl Stream<Item = &str>) -> u64;
}

fn main() {}
