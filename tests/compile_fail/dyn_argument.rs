//! A trait object cannot travel: only its process knows its type.
//! Name the type, or make an enum of the types that there are.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn show(&self, what: &dyn std::fmt::Debug) -> String;
}

fn main() {}
