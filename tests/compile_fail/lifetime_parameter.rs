//! Every borrowed argument is lent for the call, and nothing that is returned borrows.
//! Leave the lifetimes out.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn count<'a>(&self, text: &'a str) -> u64;
}

fn main() {}
