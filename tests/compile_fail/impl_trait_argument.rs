//! `impl Trait` hides which type travels; only `impl Stream` is a way of its own to pass arguments.
//! Name the type.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn show(&self, what: impl std::fmt::Debug) -> String;
}

fn main() {}
