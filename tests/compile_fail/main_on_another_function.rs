//! `#[rpc_parallel::main]` decides what the process is, before anything else runs.
//! Put it on `main`.

#[rpc_parallel::main]
async fn start() {}

fn main() {}
