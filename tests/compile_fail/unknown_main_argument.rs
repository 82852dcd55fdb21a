//! `#[main]` takes `flavor = ".."`, `worker_threads = N` and `crate = path`.
//! Write one of these.

#[rpc_parallel::main(threads = 4)]
async fn main() {}
