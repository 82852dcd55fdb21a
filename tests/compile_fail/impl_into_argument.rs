//! A conversion is made at the caller, where its type is known.
//! Take what it converts to, and call `.into()` at the caller.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn rename(&self, name: impl Into<String>);
}

fn main() {}
