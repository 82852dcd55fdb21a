//! A worker to load and to kill.

use std::{
    convert::Infallible,
    future::pending,
    hint::black_box,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{Init, Spawn, Worker, WorkerContext};
use rpc_parallel_tests::{EchoClient, Probe};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use serde::{Deserialize, Serialize};

/// A way to die from inside.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Crash {
    Signal(i32),
    Abort,
    Exit(i32),
    /// A panic that ends the process. One that merely cannot unwind takes seconds to print its backtrace.
    Panic,
    /// Of the stack.
    Overflow,
}

#[rpc_parallel::worker]
pub(crate) trait Aim {
    async fn count(&self, n: u64) -> u64;
    async fn say_back(&self, text: &str) -> String;
    /// Never replies.
    async fn wait(&self);
    async fn refuse(&self, n: u32) -> Result<(), String>;
    /// Endless; the items come as fast as they can, or only one of them ever comes.
    async fn numbers(&self, fast: bool) -> impl Stream<Item = u64>;
    async fn sum(&self, values: impl Stream<Item = u64>) -> u64;
    async fn doubled(&self, values: impl Stream<Item = u64>) -> impl Stream<Item = u64>;
    #[rpc(one_way)]
    fn note(&self, text: String);
    /// Writes a line to stderr.
    async fn say(&self, text: String);
    async fn crash(&self, crash: Crash);
    /// Says so on stdout and blocks the thread of the runtime.
    async fn block(&self, time: Duration);
    async fn ignore_term(&self);
    /// Starts a plain program, which would run for longer than any test. Returns its process id.
    async fn start_program(&self) -> u32;
    /// Starts a worker that needs no master.
    async fn detach(&self) -> Worker<EchoClient>;
}

pub(crate) struct Target;

impl Init for Target {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        // A core file would be something that is left behind.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Aim for Target {
    async fn count(&self, n: u64) -> u64 {
        n + 1
    }

    async fn say_back(&self, text: &str) -> String {
        text.to_owned()
    }

    async fn wait(&self) {
        pending::<()>().await;
    }

    async fn refuse(&self, _n: u32) -> Result<(), String> {
        Err("refused".to_owned())
    }

    async fn numbers(&self, fast: bool) -> impl Stream<Item = u64> {
        stream::iter(0..if fast { u64::MAX } else { 1 }).chain(stream::pending())
    }

    async fn sum(&self, mut values: impl Stream<Item = u64> + Send + Unpin) -> u64 {
        let mut sum = 0;
        while let Some(value) = values.next().await {
            sum += value;
        }
        sum
    }

    async fn doubled(&self, values: impl Stream<Item = u64> + Send + Unpin) -> impl Stream<Item = u64> {
        values.map(|value| 2 * value)
    }

    fn note(&self, text: String) {
        black_box(text);
    }

    async fn say(&self, text: String) {
        eprintln!("{text}");
    }

    async fn crash(&self, crash: Crash) {
        match crash {
            Crash::Signal(number) => {
                let signal = Signal::from_named_raw(number).unwrap();
                kill_process(getpid(), signal).unwrap();
                // Whichever thread the signal chooses, this one does not answer.
                pending::<()>().await;
            }
            Crash::Abort => std::process::abort(),
            Crash::Exit(code) => std::process::exit(code),
            Crash::Panic => {
                std::panic::set_hook(Box::new(|panic| {
                    eprintln!("{panic}");
                    std::process::abort();
                }));
                panic!("the last panic");
            }
            Crash::Overflow => {
                black_box(overflow(0));
            }
        }
    }

    async fn block(&self, time: Duration) {
        println!("blocking");
        thread::sleep(time);
    }

    async fn ignore_term(&self) {
        // SAFETY: to ignore a signal has no precondition.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    }

    async fn start_program(&self) -> u32 {
        #[expect(clippy::zombie_processes, reason = "who reaps it is what the tests are about")]
        let program = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        program.id()
    }

    async fn detach(&self) -> Worker<EchoClient> {
        Probe::spawn(()).name("detached").detach().await.unwrap()
    }
}

#[allow(unconditional_recursion)]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    overflow(depth + 1) + frame[0]
}
