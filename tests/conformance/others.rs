//! What a process learns of a worker that another process has spawned.

use std::convert::Infallible;

use rpc_parallel::{CallError, Client, Exit, Init, Spawn, Worker, WorkerContext};

use crate::support::{tells_exit, within};

#[rpc_parallel::worker]
trait Sleeper {
    async fn sleep(&self);
    async fn end(&self, code: i32);
    async fn watch(&self, other: Worker<SleeperClient>) -> String;
}

struct Sleeping;

impl Init for Sleeping {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Sleeper for Sleeping {
    async fn sleep(&self) {
        std::future::pending::<()>().await;
    }

    async fn end(&self, code: i32) {
        std::process::exit(code);
    }

    async fn watch(&self, other: Worker<SleeperClient>) -> String {
        let client = other.connect().await.unwrap();
        // The one who waits for us can tell that we are connected.
        let waiting = client.sleep().start();
        std::fs::write("/proc/self/comm", "watching").unwrap();
        let error = waiting.await.unwrap_err();
        let lost = client.closed().await;
        match error {
            CallError::WorkerDied(report) => {
                assert!(lost.to_string().contains(&report.name), "{lost}");
                format!("{} {:?} {}", report.name, report.exit, report.pid)
            }
            error => format!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_death_is_explained_to_those_who_did_not_spawn() {
    for exit in [Exit::Signal { signal: 9, core_dumped: false }, Exit::Code(7)] {
        let watched = Sleeping::spawn(()).name("watched").await.unwrap();
        let watcher = Sleeping::spawn(()).name("watcher").await.unwrap();
        let watching = watcher.connect().await.unwrap().watch(watched.worker().clone()).start();
        let comm = format!("/proc/{}/comm", watcher.pid());
        within(async {
            while !std::fs::read_to_string(&comm).is_ok_and(|name| name == "watching\n") {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let (name, pid) = (watched.name().unwrap().to_owned(), watched.pid());
        if exit == Exit::Code(7) {
            within(watched.connect().await.unwrap().end(7)).await.unwrap_err();
        } else {
            watched.kill().await;
        }
        let told = within(watching).await.unwrap();
        if tells_exit() {
            assert_eq!(told, format!("{name} {exit:?} {pid}"));
        } else {
            assert!(told.contains("worker watched") && told.contains(&pid.to_string()), "{told}");
        }
    }
}
