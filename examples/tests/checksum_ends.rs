//! However `checksum` ends, it ends soon, says why, and nothing of it is left.

mod common;

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    process::Stdio,
    time::Duration,
};

use common::{Run, kill, wait_for};
use tempfile::TempDir;

const CHECKSUM: &str = env!("CARGO_BIN_EXE_checksum");

/// How long an end may take.
const SOON: Duration = Duration::from_secs(2);

/// Files without contents on the disk that would take minutes.
fn huge_files(count: usize) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for i in 0..count {
        File::create(tree.path().join(format!("huge-{i}"))).unwrap().set_len(1 << 40).unwrap();
    }
    tree
}

/// Starts it with two workers on two huge files, and waits until they are at it.
fn start_hashing(tree: &Path) -> Run {
    let run = Run::start(CHECKSUM, ["--workers".as_ref(), "2".as_ref(), tree.as_os_str()]);
    let reads = |pid: &u32| {
        let mut fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        fds.any(|fd| fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(tree)))
    };
    wait_for("two workers at work", Duration::from_secs(30), || {
        (run.workers().iter().filter(|pid| reads(pid)).count() == 2).then_some(())
    });
    run
}

#[test]
fn a_killed_master_leaves_nothing() {
    let tree = huge_files(2);
    let mut run = start_hashing(tree.path());
    kill(run.child.id());
    wait_for("the end of all processes", SOON, || run.processes().is_empty().then_some(()));
    assert!(!run.child.wait().unwrap().success());
}

#[test]
fn a_killed_worker_ends_it_with_the_signals_name() {
    let tree = huge_files(2);
    let mut run = start_hashing(tree.path());
    kill(run.workers()[0]);
    wait_for("the master's end", SOON, || run.child.try_wait().unwrap());
    let ended = run.end();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty());
    assert!(ended.stderr.starts_with("checksum: worker checksum-"), "{}", ended.stderr);
    assert!(ended.stderr.contains("SIGKILL"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_killed_worker_is_noticed_while_nobody_reads_the_output() {
    let tree = tempfile::tempdir().unwrap();
    // More lines than a pipe takes.
    for i in 0..4000 {
        File::create(tree.path().join(format!("{i:0100}"))).unwrap();
    }
    let args = ["--workers".as_ref(), "2".as_ref(), tree.path().as_os_str()];
    let mut run = Run::start_with(CHECKSUM, args, |command| {
        command.stdout(Stdio::piped());
    });
    let mut stdout = run.child.stdout.take().unwrap();
    // The first result: all workers have started.
    stdout.read_exact(&mut [0]).unwrap();
    kill(run.workers()[0]);
    wait_for("the master's end", SOON, || run.child.try_wait().unwrap());
    let ended = run.end();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("SIGKILL"), "{}", ended.stderr);
}

#[test]
fn nobody_reads_the_output_any_more() {
    let args = ["--workers", "2", "/usr/share/doc", "/usr/share/doc"];
    let mut run = Run::start_with(CHECKSUM, args, |command| {
        command.stdout(Stdio::piped());
    });
    let mut stdout = run.child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let ended = run.end();
    assert_eq!(ended.status.code(), Some(128 + 13));
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_output_cannot_be_written() {
    let run = Run::start_with(CHECKSUM, ["/usr/share/doc"], |command| {
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
    });
    let ended = run.end();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.starts_with("checksum: cannot write: No space left"), "{}", ended.stderr);
}
