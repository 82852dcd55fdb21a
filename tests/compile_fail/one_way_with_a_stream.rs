//! A one-way function is one message, and a stream is many.
//! Leave `one_way` out.

use futures_util::Stream;
use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[rpc(one_way)]
    async fn add_all(&self, numbers: impl Stream<Item = u64>);
}

fn main() {}
