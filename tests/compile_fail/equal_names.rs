//! A pinned name is the id of its function, which the whole program shares.
//! Give each function a name of its own.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[rpc(name = "counter.add")]
    async fn add(&self, n: u64);
    #[rpc(name = "counter.add")]
    async fn subtract(&self, n: u64);
}

fn main() {}
