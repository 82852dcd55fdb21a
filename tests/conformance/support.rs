//! What the scenarios share: waiting, processes, the program beside this one, files.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, stream};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{sync::mpsc, time::timeout};

/// A worker without a state.
macro_rules! stateless {
    ($($name:ident),*) => {$(
        pub(crate) struct $name;

        impl rpc_parallel::Init for $name {
            type Arg = ();
            type Error = std::convert::Infallible;

            async fn init((): (), _: &rpc_parallel::WorkerContext) -> Result<Self, Self::Error> {
                Ok(Self)
            }
        }
    )*};
}
pub(crate) use stateless;

/// How long a test waits before it fails: far beyond what a loaded machine needs, since no test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to sleep between two looks at something that tells nobody when it changes.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The future's value. It must not hang.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    timeout(PATIENCE, future.into_future()).await.expect("it hangs")
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// All items of a stream that must end well.
pub(crate) async fn all<T, E: std::fmt::Debug>(stream: impl Stream<Item = Result<T, E>>) -> Vec<T> {
    within(stream.map(Result::unwrap).collect()).await
}

/// What is sent into a channel, as a stream.
pub(crate) fn received<T: Send>(mut receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send + Unpin {
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

/// Whether a process exists and is no zombie.
pub(crate) fn alive(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z' && state != 'X')
}

/// Waits for the end of a process that may not be ours.
pub(crate) async fn gone(pid: u32) {
    until(&format!("process {pid} is gone"), async || !alive(pid)).await;
}

/// The letter that the kernel has for the state of a process.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain anything.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Kills a process, whether or not it is ours.
pub(crate) fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let _ = kill_process(pid, Signal::KILL);
}

/// A worker that outlives its master, but not a test that fails.
pub(crate) struct Leftover(pub(crate) u32);

impl Drop for Leftover {
    fn drop(&mut self) {
        if alive(self.0) {
            kill(self.0);
        }
    }
}

/// A directory for one test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rpc-parallel-conformance-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program beside this one, see `program/main.rs`. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// Where it is.
    pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_conformance-program");

    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_at(Self::PATH, arguments)
    }

    pub(crate) fn start_at(path: impl AsRef<Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(path.as_ref());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = loop {
            match command.spawn() {
                // A child that another test starts at this moment holds a fresh copy open for writing until it has its image.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                child => break child.unwrap(),
            }
        };
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        if !line.ends_with('\n') {
            let mut stderr = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut stderr);
            panic!("the program ended early, after {line:?}; stderr: {stderr}");
        }
        line.trim_end().to_owned()
    }

    /// The next line, as numbers.
    pub(crate) fn numbers(&mut self) -> Vec<u32> {
        self.line().split_whitespace().map(|number| number.parse().unwrap()).collect()
    }

    /// Gives it a line.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What it prints until its end: on stdout, and on stderr.
    pub(crate) fn finish(mut self) -> (ExitStatus, String, String) {
        drop(self.child.stdin.take());
        let mut stderr = self.child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        (self.child.wait().unwrap(), stdout, errors.join().unwrap().unwrap())
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program beside this one prints of a value.
pub(crate) fn from_hex<T: serde::de::DeserializeOwned>(hex: &str) -> T {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    postcard::from_bytes(&bytes).unwrap()
}

/// From Linux 6.15 on the exit status is told to whoever is connected; before it is the lost connection alone.
pub(crate) fn tells_exit() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 15)
}
