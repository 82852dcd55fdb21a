//! A main that returns an `ExitCode`, on a runtime of one thread.

use std::process::ExitCode;

use rpc_parallel::Spawn;
use rpc_parallel_tests::Probe;

#[rpc_parallel::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let worker = Probe::spawn(()).await.unwrap();
    println!("{}", worker.connect().await.unwrap().echo("code").await.unwrap());
    ExitCode::from(7)
}
