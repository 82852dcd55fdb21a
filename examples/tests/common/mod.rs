//! Runs a program and sees to it that nothing of it is left.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{Read, Seek},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// In the environment of a run's processes, so that they can be told from all others, orphans too.
const MARKER: &str = "RPC_PARALLEL_EXAMPLE_RUN";

/// No program here takes nearly as long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// A running program.
pub(crate) struct Run {
    pub(crate) child: Child,
    marker: String,
    stdout: File,
    stderr: File,
}

/// What has become of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn start(program: &str, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        Self::start_with(program, args, |_| {})
    }

    /// Starts a program; what it writes goes to files unless `change` says otherwise.
    pub(crate) fn start_with(
        program: &str,
        args: impl IntoIterator<Item: AsRef<OsStr>>,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let marker = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let mut command = Command::new(program);
        command.args(args).env(MARKER, &marker).stdin(Stdio::null());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        change(&mut command);
        Self { child: command.spawn().unwrap(), marker, stdout, stderr }
    }

    /// The processes of this run that are alive. The environment of one that is dead reads as empty.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let wanted = format!("{MARKER}={}", self.marker);
        let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        })
        .collect()
    }

    /// The processes that are not the program itself.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let mut processes = self.processes();
        processes.retain(|pid| *pid != self.child.id());
        processes
    }

    /// Waits for the program's end, which must come soon, and for that of its workers.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait_for("the program's end", LIMIT, || self.child.try_wait().unwrap());
        wait_for("the workers' end", Duration::from_secs(2), || self.processes().is_empty().then_some(()));
        let mut stderr = String::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let mut stdout = Vec::new();
        self.stdout.rewind().unwrap();
        self.stdout.read_to_end(&mut stdout).unwrap();
        Ended { status, stdout, stderr }
    }
}

impl Drop for Run {
    /// A test that has failed leaves nothing either.
    fn drop(&mut self) {
        for pid in self.processes() {
            kill(pid);
        }
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Stdout of a program that went well and had nothing to complain about.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert!(self.status.success(), "{self:?}");
        assert_eq!(self.stderr, "");
        str::from_utf8(&self.stdout).unwrap()
    }
}

/// Runs a program to its end.
pub(crate) fn run(program: &str, args: &[&str]) -> Ended {
    Run::start(program, args).end()
}

pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited for {what} for {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
