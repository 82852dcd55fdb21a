//! The worker was compiled without knowing what its callers would choose for a type parameter of a method.
//! Name the type, or make it a parameter of the trait.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add<T: Into<u64>>(&self, n: T) -> u64;
}

fn main() {}
