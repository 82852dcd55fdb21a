//! A stream goes on after the function has returned, and so it needs a task.
//! Write `async fn`.

use futures_util::Stream;
use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn updates(&self) -> impl Stream<Item = u64>;
}

fn main() {}
