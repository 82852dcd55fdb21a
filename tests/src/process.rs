//! Processes, as `/proc` shows them.

use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

/// A process: its number and when it was started, so that another one that has got the same number is not mistaken for it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Process {
    pid: i32,
    start: u64,
}

/// What the kernel says about a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stat {
    /// The parent's process id.
    pub parent: i32,
    /// `R`unning, `S`leeping, s`T`opped, `Z`ombie ...
    pub state: char,
    /// When it was started, in ticks of the machine's life.
    pub start: u64,
}

impl Process {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        stat(pid).map(|stat| Self { pid, start: stat.start })
    }

    /// This process.
    ///
    /// # Panics
    ///
    /// If `/proc` is not mounted.
    pub fn me() -> Self {
        Self::of(std::process::id()).unwrap()
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// What the kernel says about it, as long as it exists.
    pub fn stat(&self) -> Option<Stat> {
        stat(self.pid).filter(|stat| stat.start == self.start)
    }

    /// Whether it is gone.
    ///
    /// A zombie whose parent is process 1 counts as gone: some of those reap only every two seconds. Any other zombie is
    /// there: its parent should have reaped it.
    pub fn is_gone(&self) -> bool {
        self.stat().is_none_or(|stat| matches!(stat, Stat { state: 'Z' | 'X', parent: 1, .. }))
    }

    /// Whether it is stopped.
    pub fn is_stopped(&self) -> bool {
        self.stat().is_some_and(|stat| stat.state == 'T')
    }

    /// Its children, zombies included.
    pub fn children(&self) -> Vec<Self> {
        all().filter(|(_, stat)| stat.parent == self.pid).map(|(process, _)| process).collect()
    }

    /// Its children, and theirs, and so on.
    pub fn descendants(&self) -> Vec<Self> {
        let mut found = self.children();
        let mut next = 0;
        while let Some(process) = found.get(next).copied() {
            found.extend(process.children());
            next += 1;
        }
        found
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match (self.stat(), Pid::from_raw(self.pid)) {
            (Some(_), Some(pid)) => Ok(kill_process(pid, signal)?),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What it was called when it was started.
    pub fn command_line(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    }
}

/// The living processes that were started with this variable. Who starts a tree with one finds all of it, whatever
/// became of the processes in between.
///
/// # Panics
///
/// If `/proc` is not mounted.
pub fn marked_processes(name: &str, value: &str) -> Vec<Process> {
    let wanted = format!("{name}={value}");
    all()
        .filter(|(process, _)| {
            // A zombie has none.
            let variables = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
            variables.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
        })
        .map(|(process, _)| process)
        .collect()
}

fn all() -> impl Iterator<Item = (Process, Stat)> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = stat(pid)?;
        Some((Process { pid, start: stat.start }, stat))
    })
}

/// `/proc/PID/stat`, see proc(5). The second field is the name in parentheses, which may contain anything.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
    })
}
