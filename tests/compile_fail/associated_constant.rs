//! A constant is a part of the implementation, which is in another process.
//! Make it a function with `#[rpc(inline)]`, or a constant outside of the trait.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    const LIMIT: u64;
}

fn main() {}
