//! On a trait, `#[worker]` takes `name = ".."`, `connect = Type`, `client = Name` and `crate = path`.
//! Write one of these.

use rpc_parallel::worker;

#[worker(id = "counter")]
pub trait Counter {
    async fn add(&self, n: u64);
}

fn main() {}
