//! The smallest worker.

use std::convert::Infallible;

use rpc_parallel::{Init, WorkerContext};

/// Says what it is told.
#[rpc_parallel::worker]
pub trait Echo {
    /// The same text.
    async fn echo(&self, text: &str) -> String;
    /// The worker's process id.
    async fn pid(&self) -> u32;
    /// The arguments that the worker's process was started with.
    async fn args(&self) -> Vec<String>;
    /// Whether the worker's process, and a program that it starts, has this variable.
    fn has_variable(&self, name: String) -> (bool, bool);
}

/// Serves [`Echo`].
#[derive(Debug)]
pub struct Probe;

impl Init for Probe {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Echo for Probe {
    async fn echo(&self, text: &str) -> String {
        text.to_owned()
    }

    async fn pid(&self) -> u32 {
        std::process::id()
    }

    async fn args(&self) -> Vec<String> {
        std::env::args().collect()
    }

    fn has_variable(&self, name: String) -> (bool, bool) {
        let listed = std::process::Command::new("env").output().unwrap().stdout;
        let start = format!("{name}=");
        let child = String::from_utf8_lossy(&listed).lines().any(|line| line.starts_with(&start));
        (std::env::var_os(&name).is_some(), child)
    }
}
