//! What the machine itself takes to talk to many processes.

use std::{
    fs,
    io::{Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
};

use crate::cost;

/// Processes that say what they are told.
struct Echoes(Vec<(UnixStream, Child)>);

/// Microseconds of CPU time, of both ends, for 8 bytes there and back, to each of `n` processes `cat` at once.
pub(crate) fn round_trip(n: usize, rounds: usize) -> f64 {
    let mut echoes = Echoes((0..n).map(|_| start()).collect());
    // Until all of them are there.
    echoes.round();
    let before = cost::cpu() + echoes.cpu();
    (0..rounds).for_each(|_| echoes.round());
    (cost::cpu() + echoes.cpu() - before) * 1e6 / (n * rounds) as f64
}

fn start() -> (UnixStream, Child) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let output = OwnedFd::from(theirs.try_clone().unwrap());
    let child = Command::new("cat").stdin(OwnedFd::from(theirs)).stdout(Stdio::from(output)).spawn().unwrap();
    (ours, child)
}

impl Echoes {
    fn round(&mut self) {
        for (socket, _) in &mut self.0 {
            socket.write_all(&[7; 8]).unwrap();
        }
        for (socket, _) in &mut self.0 {
            socket.read_exact(&mut [0; 8]).unwrap();
        }
    }

    /// Seconds that they have had, see proc(5).
    fn cpu(&self) -> f64 {
        let nanos = |child: &Child| -> Option<f64> {
            let text = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        self.0.iter().map(|(_, child)| nanos(child).expect("the kernel counts CPU time") * 1e-9).sum()
    }
}

impl Drop for Echoes {
    fn drop(&mut self) {
        for (socket, child) in &mut self.0 {
            // The end of the file ends it.
            let _ = socket.shutdown(std::net::Shutdown::Both);
            let _ = child.wait();
        }
    }
}
