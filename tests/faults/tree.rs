//! A tree of workers whose root is killed at a random moment.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::Duration,
};

use rpc_parallel_tests::{LONG, Process, Random, alone, marked_processes, wait_until};
use rustix::process::Signal;

use crate::rounds;

/// In the environment of every process of a round's tree.
const ROUND: &str = "RPC_PARALLEL_TEST_ROUND";
/// What the tree says until it is complete, see `programs/master/tree.rs`: three of `grown`, and one of each of the six
/// other parts.
const LINES: usize = 9;
/// How long anything of a tree may outlive its root.
const SURVIVAL: Duration = Duration::from_secs(2);
/// How many trees at once: more than processors, so that the moments of death vary more.
const AT_ONCE: u64 = 4;

#[test]
fn nothing_of_a_tree_survives_its_root() {
    let random = Random::from_env("nothing_of_a_tree_survives_its_root");
    let (rounds, next, complete, continued) = (rounds(), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    alone(async {
        tokio::task::block_in_place(|| {
            thread::scope(|scope| {
                for _ in 0..AT_ONCE {
                    scope.spawn(|| {
                        loop {
                            let round = next.fetch_add(1, Relaxed);
                            if round >= rounds {
                                return;
                            }
                            if kill_a_root(round, random.fork(round), &continued) {
                                complete.fetch_add(1, Relaxed);
                            }
                        }
                    });
                }
            });
        });
    });
    println!("{rounds} trees, {} of them complete before the root was killed", complete.into_inner());
    let continued = continued.into_inner();
    assert!(continued <= 1 + rounds / 100, "{continued} of {rounds} trees had to be continued");
}

/// Returns whether the tree was complete.
fn kill_a_root(round: u64, mut random: Random, continued: &AtomicU64) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let mark = format!("{}-{round}", std::process::id());
    let mut root = Command::new(env!("CARGO_BIN_EXE_rpc-parallel-master"))
        .arg("tree")
        .env(ROUND, &mark)
        .env("TMPDIR", directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // A killed master's calls fail in its workers; what these say about it would be noise.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = lines(&mut root);
    // Most trees die while they grow, which is when they are in most states; every fourth is complete first.
    let grown = round.is_multiple_of(4);
    let expected = if grown { 1 + LINES } else { 1 };
    for line in 0..expected {
        if lines.recv_timeout(LONG).is_err() {
            let _ = root.kill();
            panic!("round {round}: line {line} of {expected} has not come");
        }
    }
    thread::sleep(random.up_to(Duration::from_millis(15)));

    let members = Process::me().children().into_iter().filter(|child| child.pid() == root.id());
    let members: Vec<Process> = members.flat_map(|root| root.descendants()).collect();
    root.kill().unwrap();
    root.wait().unwrap();

    // Both ways of finding them: who was there before by its number, and who came later by its environment.
    let survivors = || {
        let mut survivors = marked_processes(ROUND, &mark);
        survivors.extend(members.iter().filter(|process| !process.is_gone()));
        survivors
    };
    if !wait_until(SURVIVAL, || survivors().is_empty()) {
        // One that stops itself after the kernel has woken it for its master's death, and before its lifeline has run,
        // stays stopped, and with it those whose master it is: it has to end when it is continued. Nobody else may be
        // there, and nobody may just be late.
        let left = survivors();
        let stopped: Vec<Process> = left.iter().copied().filter(Process::is_stopped).collect();
        let held: Vec<Process> = stopped.iter().flat_map(Process::descendants).collect();
        let only_stopped = left.iter().all(|process| stopped.contains(process) || held.contains(process));
        if stopped.is_empty() || !only_stopped {
            fail(round, &mark, &left);
        }
        println!("round {round}: continued {stopped:?}");
        for process in stopped {
            let _ = process.signal(Signal::CONT);
        }
        continued.fetch_add(1, Relaxed);
    }
    if !wait_until(SURVIVAL, || survivors().is_empty()) {
        fail(round, &mark, &survivors());
    }
    // The end of the pipe: nobody else, such as a process without our mark, has inherited it.
    while lines.recv_timeout(LONG).is_ok() {}
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "round {round}: a file was left behind");
    grown
}

/// The lines that a process and its children say. The receiver's end is the end of the pipe.
fn lines(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let pipe: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            // Read on to the end of the file although nobody listens.
            let _ = sender.send(line);
        }
    });
    lines
}

fn fail(round: u64, mark: &str, survivors: &[Process]) -> ! {
    let details: Vec<_> =
        survivors.iter().map(|process| (*process, process.stat(), process.command_line())).collect();
    end_all(mark);
    panic!("round {round}: {SURVIVAL:?} after the death of the root there still are {details:#?}");
}

/// After a failure: what is left would run for ever.
fn end_all(mark: &str) {
    wait_until(SURVIVAL, || {
        let left = marked_processes(ROUND, mark);
        for process in &left {
            let _ = process.signal(Signal::KILL);
        }
        left.is_empty()
    });
}
