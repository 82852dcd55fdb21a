//! A main that returns a `Result`, on the default runtime.

use rpc_parallel::Spawn;
use rpc_parallel_tests::Probe;

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = Probe::spawn(()).await?;
    println!("{}", worker.connect().await?.echo("result").await?);
    Err("an error of main".into())
}
