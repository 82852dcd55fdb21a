//! A generic implementation is many workers, and only those that are named can be registered.
//! List them: `#[worker(for(Tally<u64> as Counter))]`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn add(&self, n: u64);
}

pub struct Tally<T>(T);

#[worker]
impl<T: Send + Sync + 'static> Counter for Tally<T> {
    fn add(&self, _n: u64) {}
}

fn main() {}
