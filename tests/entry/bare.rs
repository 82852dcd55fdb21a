//! A test without a harness.

use rpc_parallel::Spawn;
use rpc_parallel_tests::Probe;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let worker = Probe::spawn(()).await.unwrap();
        let client = worker.connect().await.unwrap();
        assert_eq!(client.echo("hello").await.unwrap(), "hello");
        assert!(worker.shutdown().await.exit.is_success());
    });
    println!("ok");
}
