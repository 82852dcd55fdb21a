//! The caller of an unsafe function promises something, and another process cannot know whether it is true.
//! Leave `unsafe` out.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    unsafe fn add(&self, n: u64);
}

fn main() {}
