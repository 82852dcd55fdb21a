//! The end of a master, in every way, is the end of its workers.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use rpc_parallel_tests::{LONG, Process, alone, marked_processes, wait_until};
use rustix::process::Signal;

const MARK: &str = "RPC_PARALLEL_TEST_END";

/// Starts a master with two workers, one of them blocked, deaf to SIGTERM and with a plain child.
fn end(how: &str, signal: Option<Signal>) {
    let mark = format!("{}-{how}-{signal:?}", std::process::id());
    let mut master = Command::new(env!("CARGO_BIN_EXE_rpc-parallel-master"))
        .args(["end", how])
        .env(MARK, &mark)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(master.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("ready ")), "{how}");
    if let Some(signal) = signal {
        Process::of(master.id()).unwrap().signal(signal).unwrap();
    }
    let status = master.wait().unwrap();
    let gone = wait_until(LONG, || marked_processes(MARK, &mark).is_empty());
    let left = marked_processes(MARK, &mark);
    for process in &left {
        let _ = process.signal(Signal::KILL);
    }
    assert!(gone, "{how}, {signal:?}: {status}, and there still are {left:?}");
    // Everybody who had the pipe is gone.
    lines.for_each(drop);
    let expected = match how {
        "return" | "forget" => status.success(),
        "panic" => status.code() == Some(101),
        "exit" => status.code() == Some(3),
        _ => status.code().is_none(),
    };
    assert!(expected, "{how}, {signal:?}: {status}");
}

#[test]
fn by_itself() {
    alone(async {
        for how in ["return", "panic", "exit", "abort", "forget"] {
            end(how, None);
        }
    });
}

#[test]
fn by_a_signal() {
    alone(async {
        for signal in [Signal::TERM, Signal::KILL, Signal::INT, Signal::HUP, Signal::ABORT] {
            end("signal", Some(signal));
        }
    });
}
