//! The stderr of a child: its last lines are kept, and each is shown with the child's name in front.

use std::{
    collections::VecDeque,
    io::{self, Write},
    os::fd::OwnedFd,
};

use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
};

use crate::{readiness, threads};

/// How many lines a death report has.
const TAIL_LINES: usize = 20;
/// How much of a line it has.
const TAIL_LINE: usize = 4 << 10;
/// A line longer than this is shown in pieces, so that a child that never ends its line costs bounded memory.
const RELAY_LINE: usize = 64 << 10;
/// How many pieces may wait to be shown. If our own stderr blocks, reading stops then, and the children feel it as
/// they would feel an inherited stderr that blocks.
const RELAY_QUEUE: usize = 64;

/// Takes what is to be shown on our stderr.
pub(super) type Relay = mpsc::Sender<Vec<u8>>;

/// Starts the thread that writes to our stderr. It is a thread of its own because that write may block for ever (a
/// pager, a stopped terminal), and the keeper must go on to kill and to reap.
pub(super) fn start_relay() -> io::Result<Relay> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(RELAY_QUEUE);
    let run = move || {
        while let Some(text) = receiver.blocking_recv() {
            // Nobody is left to be told that stderr is closed.
            let _ = io::stderr().write_all(&text);
        }
    };
    threads::start("rpc-parallel relay", Box::new(run))?;
    Ok(sender)
}

/// Our end of a child's stderr.
#[derive(Debug)]
pub(super) struct StderrPipe {
    pipe: AsyncFd<OwnedFd>,
    lines: Lines,
    relay: Option<(Relay, Relayed)>,
}

impl StderrPipe {
    pub(super) fn new(pipe: OwnedFd, name: &str, relay: Option<Relay>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe: readiness::watch(pipe, Interest::READABLE)?,
            lines: Lines::default(),
            relay: relay.map(|relay| (relay, Relayed::new(name))),
        })
    }

    /// Reads once; false at the end of the file. Nothing is lost when the future is dropped: what was read was kept
    /// before it could wait again.
    pub(super) async fn pump(&mut self) -> bool {
        loop {
            let Ok(mut ready) = self.pipe.readable().await else { return false };
            let permit = match &self.relay {
                Some((relay, _)) => relay.clone().reserve_owned().await.ok(),
                None => None,
            };
            // Not before there is something to read: this future is made anew for every event of the child.
            let mut chunk = [0; 8 << 10];
            let read = match ready.try_io(|pipe| Ok(rustix::io::read(pipe.get_ref(), &mut chunk)?)) {
                Err(_would_block) => continue,
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(Err(_)) => 0,
                Ok(Ok(read)) => read,
            };
            let text = match &mut self.relay {
                Some((_, relayed)) if read == 0 => relayed.finish(),
                Some((_, relayed)) => relayed.push(&chunk[..read]),
                None => Vec::new(),
            };
            if let (Some(permit), false) = (permit, text.is_empty()) {
                drop(permit.send(text));
            }
            self.lines.push(&chunk[..read]);
            return read != 0;
        }
    }

    /// The last lines so far.
    pub(super) fn tail(&self) -> Vec<String> {
        self.lines.tail()
    }
}

/// The last lines of a text.
#[derive(Debug, Default)]
struct Lines {
    last: VecDeque<Vec<u8>>,
    open: Vec<u8>,
}

impl Lines {
    fn push(&mut self, mut text: &[u8]) {
        while let Some(end) = text.iter().position(|&byte| byte == b'\n') {
            self.extend(&text[..end]);
            if self.last.len() == TAIL_LINES {
                self.last.pop_front();
            }
            self.last.push_back(std::mem::take(&mut self.open));
            text = &text[end + 1..];
        }
        self.extend(text);
    }

    fn extend(&mut self, text: &[u8]) {
        let room = TAIL_LINE - self.open.len();
        self.open.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn tail(&self) -> Vec<String> {
        let open = Some(&self.open).filter(|open| !open.is_empty());
        let lines = self.last.iter().chain(open);
        let extra = (self.last.len() + usize::from(open.is_some())).saturating_sub(TAIL_LINES);
        lines.skip(extra).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}

/// Puts a name in front of each line, and keeps the last, unfinished one back: the lines of two children would mix.
#[derive(Debug)]
struct Relayed {
    prefix: Vec<u8>,
    open: Vec<u8>,
}

impl Relayed {
    fn new(name: &str) -> Self {
        Self { prefix: format!("[{name}] ").into_bytes(), open: Vec::new() }
    }

    fn push(&mut self, text: &[u8]) -> Vec<u8> {
        let mut shown = Vec::new();
        for piece in text.split_inclusive(|&byte| byte == b'\n') {
            self.open.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
            if piece.ends_with(b"\n") || self.open.len() >= RELAY_LINE {
                self.show(&mut shown);
            }
        }
        shown
    }

    fn finish(&mut self) -> Vec<u8> {
        let mut shown = Vec::new();
        if !self.open.is_empty() {
            self.show(&mut shown);
        }
        shown
    }

    fn show(&mut self, shown: &mut Vec<u8>) {
        shown.extend_from_slice(&self.prefix);
        shown.append(&mut self.open);
        shown.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_twenty_lines_are_kept() {
        let mut lines = Lines::default();
        for n in 0..30 {
            lines.push(format!("line {n}\n").as_bytes());
        }
        assert_eq!(lines.tail().len(), 20);
        assert_eq!(lines.tail()[0], "line 10");
        lines.push(b"no end");
        assert_eq!(lines.tail().len(), 20);
        assert_eq!(lines.tail()[0], "line 11");
        assert_eq!(lines.tail()[19], "no end");
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut lines = Lines::default();
        lines.push(&[b'x'; 3000]);
        lines.push(&[b'x'; 3000]);
        lines.push(b"\nnext\n");
        assert_eq!(lines.tail()[0].len(), TAIL_LINE);
        assert_eq!(lines.tail()[1], "next");
    }

    #[test]
    fn lines_are_shown_whole_and_named() {
        let mut relayed = Relayed::new("w");
        assert_eq!(relayed.push(b"a\nb"), b"[w] a\n");
        assert_eq!(relayed.push(b"c\n\n"), b"[w] bc\n[w] \n");
        assert_eq!(relayed.push(b"end"), b"");
        assert_eq!(relayed.finish(), b"[w] end\n");
        assert_eq!(relayed.push(&vec![b'x'; RELAY_LINE]).len(), RELAY_LINE + 5);
    }
}
