//! All calls share the worker, on several threads.
//! Write `Mutex` or an atomic for `Cell` and `RefCell`.

use std::cell::Cell;

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    fn add(&self, n: u64);
}

pub struct Tally(Cell<u64>);

impl Counter for Tally {
    fn add(&self, n: u64) {
        self.0.set(self.0.get() + n);
    }
}

fn main() {}
