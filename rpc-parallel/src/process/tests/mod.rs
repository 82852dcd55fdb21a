//! Real processes: the test binary itself is what is started.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Launch, LaunchError, Process, launch::launch};

pub(crate) mod commands;
#[cfg(feature = "pre-main")]
mod death;
#[cfg(feature = "pre-main")]
mod master_loss;
#[cfg(not(feature = "pre-main"))]
mod no_entry;
#[cfg(feature = "pre-main")]
mod start;

/// A name that no other process on this machine has in its command line.
fn token(test: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{test}-{}-{}-end", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn worker(name: &str, commands: &str) -> Launch {
    Launch::new(name, commands.as_bytes().to_vec())
}

async fn started(name: &str, commands: &str) -> (Process, String) {
    let (process, ready, _) = launch(worker(name, commands)).await.unwrap();
    (process, String::from_utf8(ready).unwrap())
}

async fn refused(launch: Launch) -> LaunchError {
    super::launch::launch(launch).await.map(drop).unwrap_err()
}

/// Ends what is left of a test, also of one that failed. No other process has the token in its command line.
struct Cleanup(String);

impl Drop for Cleanup {
    fn drop(&mut self) {
        for pid in with_token(&self.0) {
            eprintln!("left: {pid} {:?} {:?}", stat(pid), cmdline(pid));
            let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL);
        }
    }
}

/// Waits until something holds.
#[track_caller]
fn eventually(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until there is something, while the runtime goes on.
async fn found<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "never there: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The living processes with this in their command line. A zombie has none.
fn with_token(token: &str) -> Vec<u32> {
    pids().filter(|pid| cmdline(*pid).contains(token)).collect()
}

fn cmdline(pid: u32) -> String {
    fs::read(format!("/proc/{pid}/cmdline"))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .unwrap_or_default()
}

/// The children of a process, zombies too.
fn children_of(parent: u32) -> Vec<u32> {
    pids().filter(|pid| stat(*pid).is_some_and(|(_, ppid)| ppid == parent)).collect()
}

/// The state and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}
