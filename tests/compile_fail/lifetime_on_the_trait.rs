//! The values of a worker trait come from another process, and so none of them borrows.
//! Write a type parameter, or owned types.

use rpc_parallel::worker;

#[worker]
pub trait Counter<'a> {
    async fn add(&self, text: &str);
}

fn main() {}
