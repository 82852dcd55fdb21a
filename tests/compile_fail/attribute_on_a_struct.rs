//! `#[worker]` makes the functions of a trait callable; a struct has none.
//! Put it on the trait, and on its implementation for the struct.

use rpc_parallel::worker;

#[worker]
pub struct Tally;

fn main() {}
