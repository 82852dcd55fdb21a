//! What the user sees: the lines on stdout, complaints and a progress bar on stderr.

use std::{
    ffi::OsStr,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::{mpsc, oneshot};

/// So many batches of lines may wait for the thread that writes.
const WAITING: usize = 16;

/// Stderr: a progress bar if it is a terminal, and what could not be read.
#[derive(Debug)]
pub(crate) struct Console {
    bar: ProgressBar,
    complained: AtomicBool,
}

impl Console {
    pub(crate) fn new() -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        // The template is ours and right; were it not, the default is no disaster.
        let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style), complained: AtomicBool::new(false) }
    }

    /// So many bytes more are to be summed.
    pub(crate) fn found(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    /// So many bytes more are summed.
    pub(crate) fn summed(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// A file or directory could not be read.
    pub(crate) fn complain(&self, path: &OsStr, error: &dyn std::fmt::Display) {
        self.complained.store(true, Ordering::Relaxed);
        // Quoted, since a name may contain anything.
        self.say(&format!("{path:?}: {error}"));
    }

    pub(crate) fn has_complained(&self) -> bool {
        self.complained.load(Ordering::Relaxed)
    }

    pub(crate) fn say(&self, text: &str) {
        // If stderr cannot be written to there is nobody to tell.
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "checksum: {text}");
        });
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Stdout, written by a thread of its own: a write may block for as long as the reader likes.
#[derive(Debug)]
pub(crate) struct Output {
    lines: mpsc::Sender<Vec<u8>>,
    end: oneshot::Receiver<io::Result<()>>,
}

impl Output {
    pub(crate) fn start(console: &Console) -> io::Result<Self> {
        let bar = console.bar.clone();
        let (lines, mut waiting) = mpsc::channel::<Vec<u8>>(WAITING);
        let (ended, end) = oneshot::channel();
        // The bar has to make room for lines on the same terminal. Elsewhere a reader who does not read must not hold it.
        let shared = io::stdout().is_terminal();
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut result = Ok(());
            while let (Ok(()), Some(lines)) = (&result, waiting.blocking_recv()) {
                let write = || io::stdout().write_all(&lines);
                result = if shared { bar.suspend(write) } else { write() };
            }
            // Nobody listens when the program is about to end.
            let _ = ended.send(result.and_then(|()| io::stdout().flush()));
        })?;
        Ok(Self { lines, end })
    }

    /// Writes when there is room for more.
    pub(crate) async fn write(&mut self, lines: Vec<u8>) -> io::Result<()> {
        match self.lines.send(lines).await {
            Ok(()) => Ok(()),
            // The thread has given up, and says why.
            Err(_) => outcome((&mut self.end).await),
        }
    }

    /// Waits until all is written.
    pub(crate) async fn close(self) -> io::Result<()> {
        let Self { lines, end } = self;
        drop(lines);
        outcome(end.await)
    }
}

/// What the thread that writes says at its end, which is nothing if it has panicked.
fn outcome(said: Result<io::Result<()>, oneshot::error::RecvError>) -> io::Result<()> {
    said.unwrap_or_else(|_| Err(io::Error::other("the thread that writes has panicked")))
}

/// Adds the line that sha256sum prints: a name with a backslash or a line break is escaped, and its line begins with a
/// backslash.
pub(crate) fn push_line(lines: &mut Vec<u8>, digest: &[u8; 32], path: &OsStr) {
    let path = path.as_encoded_bytes();
    let escaped = path.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    if escaped {
        lines.push(b'\\');
    }
    for byte in digest {
        lines.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
    }
    lines.extend(b"  ");
    if escaped {
        for byte in path {
            match byte {
                b'\\' => lines.extend(b"\\\\"),
                b'\n' => lines.extend(b"\\n"),
                b'\r' => lines.extend(b"\\r"),
                &byte => lines.push(byte),
            }
        }
    } else {
        lines.extend(path);
    }
    lines.push(b'\n');
}
