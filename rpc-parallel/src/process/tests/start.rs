//! Starts, and how they fail.

use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    Exit,
    process::{Program, Redirect, Stderr, Step},
};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_worker_gets_ready() {
    let (process, ready) = started(&token("ready"), "ready hello\nwait").await;
    let _owner = process.owned();
    assert_eq!(ready, "hello");
    assert!(process.try_exit().is_none());
    assert!(cmdline(process.pid()).contains(&format!("rpc-parallel-worker\0child-of-{}@", std::process::id())));
}

#[tokio::test]
async fn a_worker_is_a_clean_process() {
    let name = token("clean");
    let mut launch_it = worker(&name, "facts");
    launch_it.env = vec![("VARIABLE".into(), "one".into()), ("VARIABLE".into(), "two".into())];
    launch_it.current_dir = Some("/".into());
    launch_it.args = vec!["first".into()];
    let (_, ready, _) = launch(launch_it).await.unwrap();
    let facts = String::from_utf8(ready).unwrap();
    let comm = &name[..15];
    let start = format!("marker=false comm={comm} stdin=/dev/null dir=/ name={name} constructors=3 ");
    assert!(facts.starts_with(&start), "{facts}");
    assert!(facts.contains("variable=Some(\"two\")"), "{facts}");
    // Two sockets, the control socket and the first connection, and only 0 is /dev/null: nothing of ours was inherited.
    assert_eq!(facts.matches("socket:").count(), sockets_for_all() + 2, "{facts}");
    assert_eq!(facts.matches("pidfd").count(), 1, "{facts}");
    assert_eq!(facts.matches("eventpoll").count(), 0, "{facts}");
    if cfg!(target_env = "gnu") {
        assert!(facts.contains("\"first\", \"rpc-parallel-worker\", \"child-of-"), "{facts}");
    }
}

#[tokio::test]
async fn a_large_ticket_arrives() {
    let mut launch_it = worker("large", "size\n");
    launch_it.ticket.resize(32 << 20, b'\n');
    let (_, size, _) = launch(launch_it).await.unwrap();
    assert_eq!(size, b"33554432");
}

#[tokio::test]
async fn descriptors_arrive_with_the_ticket() {
    let mut launch_it = worker("descriptors", "read");
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"through a pipe").unwrap();
    launch_it.descriptors = vec![reader.into(), std::io::pipe().unwrap().0.into()];
    // The worker reads to the end of the file: no copy of the other end may be anywhere.
    drop(writer);
    let (_, ready, _) = launch(launch_it).await.unwrap();
    assert_eq!(ready, b"1 through a pipe");
}

#[tokio::test]
async fn a_worker_says_why_it_failed() {
    let error = refused(worker("failing", "fail no licence")).await;
    let LaunchError::Failed(bytes) = error else { panic!("{error:?}") };
    assert_eq!(bytes, b"no licence");
}

#[tokio::test]
async fn a_death_before_ready_has_its_cause() {
    let error = refused(worker("early", "stderr the disk is on fire\nexit 3")).await;
    let LaunchError::Died(report) = error else { panic!("{error:?}") };
    assert_eq!(report.exit, Exit::Code(3));
    assert_eq!(report.stderr, ["the disk is on fire"]);
    assert_eq!(report.name, "early");

    let error = {
        let mut panicking = worker("panicking", "panic out of cheese");
        panicking.env = vec![("RUST_BACKTRACE".into(), "0".into())];
        refused(panicking).await
    };
    let LaunchError::Died(report) = error else { panic!("{error:?}") };
    assert_eq!(report.exit, Exit::Code(101));
    assert!(report.stderr.iter().any(|line| line == "out of cheese"), "{report}");
}

#[tokio::test]
async fn a_slow_start_is_killed_and_reaped() {
    let name = token("slow");
    let mut slow = worker(&name, "stderr still here\nspin");
    slow.start_timeout = Duration::from_millis(300);
    let error = refused(slow).await;
    let LaunchError::TimedOut(timed_out) = &error else { panic!("{error:?}") };
    assert_eq!(timed_out.step, Step::Ready);
    assert_eq!(timed_out.stderr, ["still here"]);
    assert_eq!(with_token(&name), []);
}

#[tokio::test]
async fn dropping_the_start_kills_and_reaps() {
    let name = token("dropped");
    let starting = tokio::spawn(launch(worker(&name, "wait")));
    let pid = found("the child", || with_token(&name).first().copied()).await;
    starting.abort();
    // The task is dropped with its future only now.
    assert!(starting.await.unwrap_err().is_cancelled());
    // Not even as a zombie.
    eventually(SOON, "it is reaped", || stat(pid).is_none_or(|(_, parent)| parent != std::process::id()));
    assert_eq!(with_token(&name), []);
}

#[tokio::test]
async fn the_marker_in_env_is_a_conflict() {
    let name = token("conflict");
    let mut launch_it = worker(&name, "ready");
    launch_it.env = vec![("RPC_PARALLEL_WORKER".into(), "0".into())];
    let error = refused(launch_it).await;
    assert!(matches!(error, LaunchError::Conflict { .. }));
    assert!(error.to_string().contains("conflicts with rpc_parallel's machinery: RPC_PARALLEL_WORKER=0"), "{error}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let mut launch_it = worker("missing", "ready");
    launch_it.program = Program::Path("/does/not/exist".into());
    let error = refused(launch_it).await.to_string();
    assert_eq!(error, "cannot start /does/not/exist: No such file or directory (os error 2)");

    let mut launch_it = worker("missing", "ready");
    launch_it.current_dir = Some("/does/not".into());
    let error = refused(launch_it).await.to_string();
    assert_eq!(error, "cannot start it in /does/not: No such file or directory (os error 2)");

    let mut launch_it = worker("missing", "ready");
    launch_it.stdout = Redirect::Append("/does/not/exist".into());
    let error = refused(launch_it).await.to_string();
    assert_eq!(error, "cannot start its output to /does/not/exist: No such file or directory (os error 2)");
}

#[tokio::test]
async fn limits_hold_before_anything_starts() {
    let error = refused(worker(&"x".repeat(5000), "ready")).await.to_string();
    assert_eq!(error, "the name's length in bytes has 5000, the most is 4096");
}

#[tokio::test]
async fn what_runs_something_else_is_no_worker() {
    let mut launch_it = worker("other", "ready");
    launch_it.program = Program::Path("/bin/sh".into());
    launch_it.args = vec!["-c".into(), "echo what? >&2; exit 7".into()];
    let error = refused(launch_it).await;
    let LaunchError::NotAWorker(other) = &error else { panic!("{error:?}") };
    assert_eq!(other.exit, Some(Exit::Code(7)));
    assert_eq!(other.stderr, ["what?"]);
    assert!(
        error.to_string().starts_with("no rpc_parallel entry ran in the child (/bin/sh), which exited with code 7")
    );

    // It neither exits nor reads.
    let name = token("deaf");
    let mut launch_it = worker(&name, "ready");
    launch_it.program = Program::Path("/bin/sh".into());
    launch_it.args = vec!["-c".into(), "exec sleep 1000 <&0".into()];
    launch_it.start_timeout = Duration::from_millis(200);
    let error = refused(launch_it).await;
    let LaunchError::TimedOut(timed_out) = &error else { panic!("{error:?}") };
    assert_eq!(timed_out.step, Step::Entry);

    // It lets go of the socket and lives on.
    let mut launch_it = worker(&name, "ready");
    launch_it.program = Program::Path("/bin/sh".into());
    launch_it.args = vec!["-c".into(), "exec sleep 1000 </dev/null".into()];
    let began = Instant::now();
    let error = refused(launch_it).await;
    let LaunchError::NotAWorker(other) = &error else { panic!("{error:?}") };
    assert_eq!(other.exit, None);
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn output_goes_where_it_is_sent() {
    let file = std::env::temp_dir().join(token("output"));
    let mut launch_it = worker("output", "stderr one\nready\nexit 0");
    launch_it.stderr = Stderr::To(Redirect::Truncate(file.clone()));
    launch_it.stdout = Redirect::Null;
    let (process, ..) = launch(launch_it).await.unwrap();
    assert_eq!(process.exit().await.stderr, [""; 0]);
    let mut launch_it = worker("output", "stderr two\nready\nexit 0");
    launch_it.stderr = Stderr::To(Redirect::Append(file.clone()));
    let (process, ..) = launch(launch_it).await.unwrap();
    process.exit().await;
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(text, "one\ntwo\n");
}

#[tokio::test]
async fn who_was_ready_was_ready_however_soon_it_ended() {
    for round in 0..100 {
        let (process, said, _) = launch(worker("brief", "ready here\nexit 3")).await.unwrap();
        assert_eq!((said.as_slice(), process.exit().await.exit), (&b"here"[..], Exit::Code(3)), "round {round}");
    }
}

#[tokio::test]
async fn a_path_to_our_image_works_too() {
    let mut launch_it = worker("path", "ready");
    launch_it.program = Program::Path(std::env::current_exe().unwrap());
    launch(launch_it).await.unwrap();
}

#[tokio::test]
async fn a_hundred_launches_leave_nothing() {
    let name = token("hundred");
    let mut launch_it = worker(&name, &format!("many {name}"));
    launch_it.start_timeout = Duration::from_secs(120);
    let (process, counts, _) = launch(launch_it).await.unwrap();
    let counts = String::from_utf8(counts).unwrap();
    let (before, after) = counts.split_once(") ").unwrap();
    assert_eq!(format!("{before})"), after, "descriptors and children before and after");
    assert_eq!(process.exit().await.exit, Exit::Code(0));
    eventually(SOON, "no process is left", || with_token(&name).is_empty());
}

/// The sockets that whoever runs this test lets every process inherit.
fn sockets_for_all() -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let socket = fs::read_link(&path).ok()?.to_string_lossy().starts_with("socket:");
        let file = fs::File::open(path.with_file_name(format!("../fdinfo/{}", path.file_name()?.to_str()?))).ok()?;
        let info = std::io::read_to_string(file).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?.trim();
        let inherited = i64::from_str_radix(flags, 8).ok()? & 0o2000000 == 0;
        (socket && inherited).then_some(())
    });
    open.count()
}

#[test]
fn a_relative_path_starts_here() {
    let path = Program::Path(PathBuf::from("here/it")).path().unwrap();
    assert_eq!(path, std::env::current_dir().unwrap().join("here/it"));
}
