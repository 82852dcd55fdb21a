//! `Self` is another type in each implementation, and the client knows none of them.
//! Name the type.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn merge(&self, other: &Self);
}

fn main() {}
