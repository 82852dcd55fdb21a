//! The name of an argument is what the client and its errors call it by.
//! Give it a name, and take it apart in the body.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&self, (x, y): (u64, u64));
}

fn main() {}
