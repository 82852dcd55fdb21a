//! The trait is what a client is made of, and what a test can implement.
//! Write a trait with these methods, and implement it for the type.

use rpc_parallel::worker;

pub struct Tally;

#[worker]
impl Tally {
    pub async fn add(&self, _n: u64) {}
}

fn main() {}
