//! A worker begins with a state that is made from the argument of `spawn`.
//! Write `impl Init for` the type, or `impl ConnectionState` for what is made once for each connection.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn add(&self, n: u64);
}

pub struct Tally;

#[worker]
impl Counter for Tally {
    fn add(&self, _n: u64) {}
}

fn main() {}
