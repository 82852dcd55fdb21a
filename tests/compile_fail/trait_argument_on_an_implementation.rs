//! What belongs to all implementations is said once, on the trait.
//! Move the argument there.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn add(&self, n: u64);
}

pub struct Tally;

#[worker(name = "counter")]
impl Counter for Tally {
    fn add(&self, _n: u64) {}
}

fn main() {}
