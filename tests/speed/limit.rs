//! What the machine can do: blocking reads and writes over a Unix socket pair, and a bare fork + exec.

use std::{
    io::{BufReader, BufWriter, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::placement::{self, Placement};

/// The argument that makes this program the other side of a limit.
pub(crate) const ROLE: &str = "--limit-child";

/// The other side: reads a mode, a message size and a CPU, then echoes or swallows.
pub(crate) fn child() {
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut socket = UnixStream::from(stdin);
    let mut head = [0; 24];
    socket.read_exact(&mut head).unwrap();
    let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap()) as usize;
    let (mode, size, cpu) = (word(0), word(8), word(16));
    placement::pin(cpu);
    socket.write_all(&[1]).unwrap();
    let mut buffer = vec![0; size];
    match mode {
        ECHO => while socket.read_exact(&mut buffer).is_ok() && socket.write_all(&buffer).is_ok() {},
        SOURCE => {
            // One by one, as a program has them that makes them.
            let mut writer = BufWriter::with_capacity(STREAM_BUFFER, socket);
            while writer.write_all(std::hint::black_box(&buffer)).is_ok() {}
        }
        _ => {}
    }
}

/// The buffers of either side of a stream.
const STREAM_BUFFER: usize = 64 << 10;

const ECHO: usize = 0;
const SOURCE: usize = 1;

/// The other side of a limit, ended when dropped.
pub(crate) struct Peer {
    socket: Option<UnixStream>,
    child: Child,
}

impl Peer {
    fn start(mode: usize, size: usize, placement: Placement) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .arg(ROLE)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .unwrap();
        let mut peer = Self { socket: Some(ours), child };
        let mut head = Vec::new();
        for word in [mode, size, placement.other()] {
            head.extend_from_slice(&(word as u64).to_le_bytes());
        }
        peer.socket().write_all(&head).unwrap();
        peer.socket().read_exact(&mut [0]).unwrap();
        peer
    }

    fn socket(&mut self) -> &mut UnixStream {
        self.socket.as_mut().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of the file ends the child.
        self.socket = None;
        let _ = self.child.wait();
    }
}

/// Seconds for one round trip of `size` bytes.
pub(crate) fn ping_pong(size: usize, count: usize, placement: Placement) -> f64 {
    placement.pin_caller();
    let mut peer = Peer::start(ECHO, size, placement);
    let message = vec![7; size];
    let mut reply = vec![0; size];
    let mut start = Instant::now();
    for round in 0..count + count / 10 {
        if round == count / 10 {
            start = Instant::now();
        }
        // A large message must be read while it is written, or both sides would block.
        if size > 64 << 10 {
            let mut reader = peer.socket().try_clone().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| reader.read_exact(&mut reply).unwrap());
                peer.socket().write_all(&message).unwrap();
            });
        } else {
            peer.socket().write_all(&message).unwrap();
            peer.socket().read_exact(&mut reply).unwrap();
        }
    }
    let seconds = start.elapsed().as_secs_f64() / count as f64;
    placement::pin_both();
    seconds
}

/// Seconds for one item of `SIZE` bytes of a stream: the other side hands the items one by one to a [`BufWriter`], this
/// one takes them one by one from a [`BufReader`].
pub(crate) fn stream<const SIZE: usize>(count: usize, placement: Placement) -> f64 {
    placement.pin_caller();
    let mut peer = Peer::start(SOURCE, SIZE, placement);
    let mut reader = BufReader::with_capacity(STREAM_BUFFER, peer.socket());
    let mut item = [0; SIZE];
    let start = Instant::now();
    for _ in 0..count {
        reader.read_exact(&mut item).unwrap();
        std::hint::black_box(&item);
    }
    let seconds = start.elapsed().as_secs_f64() / count as f64;
    placement::pin_both();
    seconds
}
