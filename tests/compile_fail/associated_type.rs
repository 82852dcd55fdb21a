//! The client of a trait knows no implementation, and so no type that an implementation chooses.
//! Make the type a parameter of the trait.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    type Number;

    async fn last(&self) -> u64;
}

fn main() {}
