//! A stream stands alone, in a `Result`, or last in a pair.
//! Return a `Result` with an error where there is no stream, or an empty stream.

use futures_util::Stream;
use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn updates(&self) -> Option<impl Stream<Item = u64>>;
}

fn main() {}
