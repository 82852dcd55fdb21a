//! The workers of the program.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rpc_parallel::{ConnectionState, Fault, Init, Redirect, Spawn, Spawned, WorkerContext};

macro_rules! stateless {
    ($($name:ident),*) => {$(
        pub(crate) struct $name;

        impl Init for $name {
            type Arg = ();
            type Error = Infallible;

            async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
                Ok(Self)
            }
        }
    )*};
}

stateless!(Sum, Product, Pinned);

#[rpc_parallel::worker]
pub(crate) trait Sums {
    async fn pid(&self) -> u32;
    /// 0 + .. + (n - 1)
    async fn sum(&self, n: u64) -> u64;
    /// What this worker, and a program that it starts, see of the library's own variable.
    fn marker(&self) -> String;
}

#[rpc_parallel::worker]
impl Sums for Sum {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn sum(&self, n: u64) -> u64 {
        println!("on stdout: the sum of {n}");
        eprintln!("on stderr: the sum of {n}");
        (0..n).sum()
    }
    fn marker(&self) -> String {
        let ours =
            std::env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("RPC_PARALLEL_WORKER")).count();
        let theirs = std::process::Command::new("env").output().unwrap();
        let theirs = String::from_utf8_lossy(&theirs.stdout)
            .lines()
            .filter(|line| line.starts_with("RPC_PARALLEL_WORKER"))
            .count();
        format!("{ours} {theirs}")
    }
}

#[rpc_parallel::worker]
pub(crate) trait Products {
    async fn pid(&self) -> u32;
    /// 1 * .. * n
    async fn product(&self, n: u64) -> u64;
}

#[rpc_parallel::worker]
impl Products for Product {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn product(&self, n: u64) -> u64 {
        eprintln!("on stderr: the product of {n}");
        (1..=n).product()
    }
}

/// A worker that hangs while it starts, or panics when it is connected to, as it is told.
pub(crate) struct Bound(AtomicU64);

impl Init for Bound {
    type Arg = String;
    type Error = Infallible;

    async fn init(how: String, _: &WorkerContext) -> Result<Self, Infallible> {
        if how == "hang" {
            std::future::pending::<()>().await;
        }
        Ok(Self(AtomicU64::new(0)))
    }
}

pub(crate) struct BoundConnection(Arc<Bound>);

impl ConnectionState for BoundConnection {
    type Worker = Bound;
    type Arg = String;
    type Error = Infallible;

    async fn open(worker: &Arc<Bound>, how: String) -> Result<Arc<Self>, Infallible> {
        assert_ne!(how, "panic");
        Ok(Arc::new(Self(Arc::clone(worker))))
    }
}

#[rpc_parallel::worker(connect = String, client = BoundClient)]
pub(crate) trait Bounds {
    async fn pid(&self) -> u32;
    async fn bump(&self) -> u64;
}

#[rpc_parallel::worker(client = BoundClient)]
impl Bounds for BoundConnection {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn bump(&self) -> u64 {
        self.0.0.fetch_add(1, Relaxed) + 1
    }
}

/// A worker that has workers.
pub(crate) struct Primary(Mutex<Vec<Spawned<SumsClient>>>);

impl Init for Primary {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(Mutex::default()))
    }
}

#[rpc_parallel::worker]
pub(crate) trait Primaries {
    async fn pid(&self) -> u32;
    /// Starts workers; their ids, and what they answer.
    async fn grow(&self, count: u32) -> Result<Vec<(u32, String)>, Fault>;
}

#[rpc_parallel::worker]
impl Primaries for Primary {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn grow(&self, count: u32) -> Result<Vec<(u32, String)>, Fault> {
        let mut answers = Vec::new();
        for _ in 0..count {
            // What the root prints is not to be mixed with what they print.
            let secondary = Sum::spawn(()).stdout(Redirect::Null).await?;
            let client = secondary.connect().await?;
            let answer = if client.sum(3).await? == 3 { "pong" } else { "wrong" };
            answers.push((secondary.pid(), answer.to_owned()));
            self.0.lock().unwrap().push(secondary);
        }
        Ok(answers)
    }
}

/// Functions under names that other programs know: `start.rs` has the same trait in another order, with another name
/// and with one signature that differs.
#[rpc_parallel::worker(name = "conformance.pinned")]
pub(crate) trait Swapped {
    #[rpc(name = "conformance.pinned.differs")]
    async fn differs(&self, n: u64) -> u64;
    #[rpc(name = "conformance.pinned.twice")]
    async fn twice(&self, n: u64) -> u64;
    #[rpc(name = "conformance.pinned.greet")]
    async fn greet(&self, name: String) -> String;
}

#[rpc_parallel::worker]
impl Swapped for Pinned {
    async fn differs(&self, n: u64) -> u64 {
        n
    }
    async fn twice(&self, n: u64) -> u64 {
        2 * n
    }
    async fn greet(&self, name: String) -> String {
        format!("hello {name}")
    }
}
