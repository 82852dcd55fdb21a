//! A result is a copy in another process, which cannot borrow from the worker.
//! Return an owned type: `String` for `&str`, `Vec<T>` for `&[T]`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn name(&self) -> &str;
}

fn main() {}
