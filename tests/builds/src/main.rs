//! Says how many of its six kinds of workers can be spawned.

#[rpc_parallel::main(flavor = "current_thread")]
async fn main() -> Result<(), rpc_parallel::SpawnError> {
    println!("{}", builds::spawn_all().await?);
    Ok(())
}
