//! How a process ended, and what it said last.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
        /// Whether it left a core dump.
        core_dumped: bool,
    },
}

impl Exit {
    /// Whether the process exited with code 0.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal { signal, core_dumped } => {
                match signal_name(signal) {
                    Some(name) => write!(f, "was ended by signal {signal} ({name})")?,
                    None => write!(f, "was ended by signal {signal}")?,
                }
                if core_dumped {
                    f.write_str(", core dumped")?;
                }
                Ok(())
            }
        }
    }
}

/// The names of the signals whose numbers POSIX fixes or that Linux and macOS share.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV, such as a bad memory access or a stack overflow",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        #[cfg(target_os = "linux")]
        7 => "SIGBUS",
        #[cfg(target_os = "linux")]
        31 => "SIGSYS",
        #[cfg(target_os = "macos")]
        10 => "SIGBUS",
        #[cfg(target_os = "macos")]
        12 => "SIGSYS",
        _ => return None,
    })
}

/// The death of a worker process: what every pending call and stream on it is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DeathReport {
    /// The worker's name, or its id where it was given none.
    pub name: String,
    /// The process's id.
    pub pid: u32,
    /// The machine on which it ran.
    pub host: String,
    /// How it ended.
    pub exit: Exit,
    /// The last lines that it wrote to stderr, at most 20, the oldest first. Only the process that has spawned the
    /// worker knows them.
    pub stderr: Vec<String>,
    /// How long it lived; for a worker that another process has spawned, how long we were connected to it.
    pub uptime: Duration,
}

impl DeathReport {
    /// Puts a report together.
    pub(crate) fn new(
        name: String,
        pid: u32,
        host: String,
        exit: Exit,
        stderr: Vec<String>,
        uptime: Duration,
    ) -> Self {
        Self { name, pid, host, exit, stderr, uptime }
    }
}

impl fmt::Display for DeathReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "worker {} (pid {} on {}) {} after {:.1?}",
            self.name, self.pid, self.host, self.exit, self.uptime
        )?;
        if !self.stderr.is_empty() {
            f.write_str("; its last words on stderr:")?;
            for line in &self.stderr {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}
