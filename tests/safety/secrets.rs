//! What a worker is told is in nothing that `ps` shows.

use std::fs;

use rpc_parallel::Spawn;

use crate::vault::{Opened, Safe};

/// Neither the argument of `Init` nor the key is in the command line or the environment of the worker: these are what
/// other users, crash reports and the programs that a worker starts get to see.
#[tokio::test]
async fn the_ticket_is_neither_in_the_arguments_nor_in_the_environment() {
    let secret = "a secret that nobody else may read";
    let worker = Safe::spawn(secret.into()).name("vault").await.unwrap();
    let client = worker.connect().await.unwrap();
    assert_eq!(client.measure().await.unwrap(), secret.len());
    let (handle, _) = Opened::of(worker.worker());
    let hex: String = handle.key.iter().map(|byte| format!("{byte:02x}")).collect();

    // What the kernel keeps from the moment of the start, whatever the process has removed since.
    let seen = |name: &str| fs::read(format!("/proc/{}/{name}", worker.pid())).unwrap();
    for (name, shown) in [("cmdline", seen("cmdline")), ("environ", seen("environ"))] {
        for hidden in [secret.as_bytes(), &handle.key, hex.as_bytes()] {
            assert!(!shown.windows(hidden.len()).any(|part| part == hidden), "a secret is in /proc/PID/{name}");
        }
    }
    // In fact there is nothing at all beside our own environment but the marker.
    let ours = fs::read("/proc/self/environ").unwrap();
    let ours: Vec<&[u8]> = ours.split(|&byte| byte == 0).collect();
    let theirs = seen("environ");
    let added: Vec<&[u8]> = theirs.split(|&byte| byte == 0).filter(|one| !ours.contains(one)).collect();
    let names: Vec<_> = added.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect();
    assert_eq!(names, ["RPC_PARALLEL_WORKER=1"]);

    // Nor does a handle show its key when it is printed.
    let printed = format!("{worker:?} {:?} {}", worker.worker(), worker.worker());
    assert!(!printed.contains(&hex) && !printed.contains(&format!("{:?}", handle.key)), "{printed}");
}
