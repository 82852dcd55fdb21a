//! `#[rpc(local)]` makes no call of a method, and so every implementation inherits it.
//! Give it a body.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[rpc(local)]
    fn helper(&self) -> u64;
}

fn main() {}
