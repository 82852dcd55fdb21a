//! The same under another name: an alias of `Result` is looked through.
//! Return `Result<_, Fault>`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn read(&self, path: &str) -> std::io::Result<String>;
}

fn main() {}
