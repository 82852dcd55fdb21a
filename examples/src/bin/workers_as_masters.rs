//! Workers that have workers of their own.
//!
//! ```text
//! cargo run --bin workers_as_masters -- --primary 3 --secondary 2
//! ```
//!
//! Any process can spawn. When this one ends, in whichever way, the primary workers end with it and the secondary ones
//! with them.

use std::{convert::Infallible, error::Error, process::ExitCode};

use futures_util::future::try_join_all;
use rpc_parallel::{Fault, Init, Spawn, Spawned, WorkerContext};
use tokio::sync::Mutex;

/// Has workers of its own.
#[rpc_parallel::worker]
pub trait Primary {
    /// Spawns so many secondary workers, which live as long as this one.
    async fn spawn_secondaries(&self, count: usize) -> Result<(), Fault>;
    /// What each of them answers.
    async fn ping_secondaries(&self) -> Result<Vec<String>, Fault>;
}

/// Answers.
#[rpc_parallel::worker]
pub trait Secondary {
    /// Says something.
    async fn ping(&self) -> String;
}

#[derive(Default)]
struct PrimaryWorker {
    // To own them is what keeps them alive.
    secondaries: Mutex<Vec<Spawned<SecondaryClient>>>,
}

impl Init for PrimaryWorker {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[rpc_parallel::worker]
impl Primary for PrimaryWorker {
    async fn spawn_secondaries(&self, count: usize) -> Result<(), Fault> {
        let spawns = (0..count).map(async |i| SecondaryWorker::spawn(i).name(format!("secondary-{i}")).await);
        let spawned = try_join_all(spawns).await?;
        self.secondaries.lock().await.extend(spawned);
        Ok(())
    }

    async fn ping_secondaries(&self) -> Result<Vec<String>, Fault> {
        let secondaries = self.secondaries.lock().await;
        let pings = secondaries.iter().map(async |worker| Ok::<_, Fault>(worker.connect().await?.ping().await?));
        try_join_all(pings).await
    }
}

struct SecondaryWorker {
    number: usize,
}

impl Init for SecondaryWorker {
    type Arg = usize;
    type Error = Infallible;

    async fn init(number: usize, _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { number })
    }
}

#[rpc_parallel::worker]
impl Secondary for SecondaryWorker {
    async fn ping(&self) -> String {
        format!("Secondary worker #{}: pong", self.number)
    }
}

async fn run(primaries: usize, secondaries: usize) -> Result<(), Box<dyn Error>> {
    let spawns = (0..primaries).map(async |i| PrimaryWorker::spawn(()).name(format!("primary-{i}")).connect().await);
    let workers = try_join_all(spawns).await?;
    try_join_all(workers.iter().map(|worker| worker.spawn_secondaries(secondaries))).await?;
    let answers = try_join_all(workers.iter().map(PrimaryClient::ping_secondaries)).await?;
    for (i, answers) in answers.iter().enumerate() {
        for answer in answers {
            println!("Primary worker #{i}: {answer}");
        }
    }
    Ok(())
}

/// `--primary P --secondary S`, both 2 by default.
fn counts() -> Option<(usize, usize)> {
    let (mut primaries, mut secondaries) = (2, 2);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let count = match arg.as_str() {
            "--primary" => &mut primaries,
            "--secondary" => &mut secondaries,
            _ => return None,
        };
        *count = args.next()?.parse().ok()?;
    }
    Some((primaries, secondaries))
}

#[rpc_parallel::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Some((primaries, secondaries)) = counts() else {
        eprintln!("usage: workers_as_masters [--primary P] [--secondary S]");
        return Ok(ExitCode::from(2));
    };
    run(primaries, secondaries).await?;
    Ok(ExitCode::SUCCESS)
}
