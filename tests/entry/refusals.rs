//! Programs that are no workers, or not this one: an error that says so, and at once.

use std::time::{Duration, Instant};

use rpc_parallel::{Spawn, SpawnError};
use rpc_parallel_tests::Probe;

/// Far below the 30 s after which a start is given up, and enough for a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_program_without_an_entry_is_told_at_once() {
    for (program, code) in [("/bin/true", 0), ("/bin/cat", 1), ("/bin/sleep", 1), ("/bin/false", 1)] {
        let start = Instant::now();
        let error = Probe::spawn(()).executable(program).await.unwrap_err();
        assert!(start.elapsed() < AT_ONCE, "{program} took {:?}", start.elapsed());
        let SpawnError::NotAWorker { exit, .. } = &error else { panic!("{program}: {error:?}") };
        assert_eq!(*exit, Some(rpc_parallel::Exit::Code(code)), "{error}");
        assert!(error.to_string().contains("#[rpc_parallel::main]"), "{error}");
        assert!(error.to_string().contains(program), "{error}");
    }
}

#[tokio::test]
async fn a_program_that_stays_silent_is_told_at_the_limit() {
    // It ignores its arguments and waits.
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("silent");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let limit = Duration::from_millis(200);
    let error = Probe::spawn(()).executable(&script).start_timeout(limit).await.unwrap_err();
    assert!(matches!(error, SpawnError::TimedOut { .. }), "{error:?}");
    assert!(error.to_string().contains("no rpc_parallel entry ran in it"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Probe::spawn(()).executable("/nowhere/worker").await.unwrap_err();
    assert!(matches!(error, SpawnError::NotStarted { .. }), "{error:?}");
    assert!(error.to_string().contains("/nowhere/worker"), "{error}");
}

#[tokio::test]
async fn a_program_without_the_worker_lists_what_it_has() {
    // It has workers, but none of ours.
    let start = Instant::now();
    let error = Probe::spawn(()).executable(env!("CARGO_BIN_EXE_rpc-parallel-master")).await.unwrap_err();
    assert!(start.elapsed() < AT_ONCE);
    assert!(matches!(error, SpawnError::NotRegistered(_)), "{error:?}");
    for word in ["Probe", "Branch", "Limb"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}
