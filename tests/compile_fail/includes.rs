//! A worker trait has the functions of one client; those of another trait are not added to it.
//! Implement both traits for the worker: it then has two clients.

use rpc_parallel::worker;

#[worker]
pub trait Named {
    async fn name(&self) -> String;
}

#[worker(includes(Named))]
pub trait Counter {
    async fn add(&self, n: u64);
}

fn main() {}
