//! A plain `fn main` starts no runtime, which could have threads.
//! Write `async fn main`.

#[rpc_parallel::main(worker_threads = 4)]
fn main() {}
