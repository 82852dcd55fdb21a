//! What the machine can do: blocking reads and writes over a Unix socket pair, and a bare fork + exec.

use std::{
    io::{BufReader, BufWriter, Read, Write},
    os::unix::net::UnixStream,
    time::Instant,
};

use crate::{
    blocking::{self, Blocking},
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::{self, Process},
};

pub(crate) const LIBRARY: Library = Library {
    name: "limit",
    crates: &[],
    used: "blocking reads and writes over a Unix socket pair, std alone",
    variants: |_| &[""],
    run: blocking::run::<Limit>,
    worker: |_| worker(),
};

/// What the other side is told to do: a mode, a size and a count, 8 bytes each.
type Command = [u64; 3];

/// Reads and writes `size` bytes, `count` times.
const ECHO: u64 = 0;
/// Writes `count` items of `size` bytes, one by one, through a buffer.
const SOURCE: u64 = 1;

const BUFFER: usize = 64 << 10;

struct Limit {
    socket: UnixStream,
    process: Process,
}

impl Limit {
    fn command(&mut self, command: Command) {
        let bytes: Vec<u8> = command.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.socket.write_all(&bytes).unwrap();
    }

    /// Reads items one by one, through a buffer. None of those who take or make them lets the compiler see that several
    /// could be moved at once.
    fn items<const N: usize>(&mut self, count: u64, mut take: impl FnMut(&[u8; N])) {
        self.command([SOURCE, N as u64, count]);
        let mut reader = BufReader::with_capacity(BUFFER, &self.socket);
        let mut item = [0; N];
        for _ in 0..count {
            reader.read_exact(&mut item).unwrap();
            take(&item);
        }
    }
}

impl Blocking for Limit {
    fn start(cpu: Option<usize>) -> Self {
        let (process, socket) = Process::connected(LIBRARY.name, cpu);
        Self { socket, process }
    }

    fn ready(&mut self) {
        self.socket.read_exact(&mut [0]).unwrap();
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn expect(&mut self, calls: u64) {
        self.command([ECHO, 8, calls]);
    }

    fn send(&mut self, n: u64) {
        self.socket.write_all(&n.to_le_bytes()).unwrap();
    }

    fn receive(&mut self) -> u64 {
        let mut reply = [0; 8];
        self.socket.read_exact(&mut reply).unwrap();
        u64::from_le_bytes(reply) + 1
    }

    fn window(&mut self, width: u64, count: u64) {
        let batch = vec![BYTE; 8 * width as usize];
        let mut reply = vec![0; batch.len()];
        self.command([ECHO, batch.len() as u64, count / width]);
        for _ in 0..count / width {
            self.socket.write_all(&batch).unwrap();
            self.socket.read_exact(&mut reply).unwrap();
        }
    }

    fn numbers(&mut self, count: u64) -> u64 {
        let mut sum = 0;
        self.items(count, |item| sum += u64::from_le_bytes(*std::hint::black_box(item)));
        sum
    }

    fn blocks(&mut self, count: u64) -> u64 {
        let mut seen = 0;
        self.items(count, |item: &[u8; 64]| {
            std::hint::black_box(item);
            seen += 1;
        });
        seen
    }

    fn echo(&mut self, _: &str, size: usize, count: u64) -> Latencies {
        let message = vec![BYTE; size];
        let mut reply = vec![0; size];
        self.command([ECHO, size as u64, count]);
        let one = |_| {
            let start = Instant::now();
            self.socket.write_all(&message).unwrap();
            self.socket.read_exact(&mut reply).unwrap();
            let latency = since(start);
            check(&reply, size);
            latency
        };
        (0..count).map(one).collect()
    }
}

fn worker() {
    let mut socket = process::stdin();
    socket.write_all(&[1]).unwrap();
    let mut command = [0; size_of::<Command>()];
    while socket.read_exact(&mut command).is_ok() {
        let word = |at: usize| u64::from_le_bytes(command[8 * at..8 * at + 8].try_into().unwrap());
        let done = match (word(0), word(1)) {
            (ECHO, size) => echo(&mut socket, size as usize, word(2)),
            (_, 8) => source(&socket, word(2), |n| std::hint::black_box(n).to_le_bytes()),
            (_, _) => source(&socket, word(2), |_| std::hint::black_box([BYTE; 64])),
        };
        if done.is_err() {
            return;
        }
    }
}

fn echo(socket: &mut UnixStream, size: usize, count: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; size];
    for _ in 0..count {
        socket.read_exact(&mut buffer)?;
        socket.write_all(&buffer)?;
    }
    Ok(())
}

fn source<const N: usize>(socket: &UnixStream, count: u64, item: impl Fn(u64) -> [u8; N]) -> std::io::Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFER, socket);
    for n in 0..count {
        writer.write_all(&item(n))?;
    }
    writer.flush()
}
