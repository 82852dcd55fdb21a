//! A master that is gone takes all of its workers along.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use super::*;

/// The promise.
const AT_ONCE: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(20);

/// Kills the process itself, not its group: what its own death does not take along stays.
fn kill_alone(process: &Process) {
    // It was not reaped as long as this is asked before its exit is known; if it is, it is gone anyway.
    if process.try_exit().is_none() {
        let _ = kill_process(Pid::from_raw(process.pid() as i32).unwrap(), Signal::KILL);
    }
}

#[tokio::test]
async fn a_killed_root_takes_its_tree_along() {
    let name = token("tree");
    let _cleanup = Cleanup(name.clone());
    // A root with a sub-master, that has a stopped worker, a spinning one, and one with a plain process.
    let tree = format!(
        "nest {name}-sub;nest {name}-stopped|ready|stop;nest {name}-spinning|ready|spin;\
         nest {name}-parent|plain {name}-plain|ready|wait;ready;wait\nready\nwait"
    );
    for round in 0..8_u32 {
        let starting = tokio::spawn(launch(worker(&name, &tree)));
        if round == 0 {
            let (root, ..) = starting.await.unwrap().unwrap();
            eventually(SOON, "the tree is there", || with_token(&name).len() == 6);
            kill_alone(&root);
        } else {
            // Somewhere in the start of the tree. The root itself is the one that is our child.
            let ours = format!("child-of-{}@", std::process::id());
            let find = || with_token(&name).into_iter().find(|pid| cmdline(*pid).contains(&ours));
            let root = found("the root", find).await;
            tokio::time::sleep(Duration::from_micros(u64::from(round * round) * 900)).await;
            let _ = kill_process(Pid::from_raw(root as i32).unwrap(), Signal::KILL);
            let _ = starting.await.unwrap();
        }
        eventually(AT_ONCE, "the tree is gone", || {
            // One that stopped itself after its master's death stays until it is continued.
            for pid in with_token(&name) {
                if fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T ")) {
                    let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::CONT);
                }
            }
            with_token(&name).is_empty()
        });
    }
    assert_eq!(with_token(&name), []);
}

/// The kernel knows a child's parent as the thread that has started it.
#[tokio::test]
async fn a_stopped_worker_dies_with_its_master_also_if_the_thread_that_started_it_is_gone() {
    let name = token("thread");
    let _cleanup = Cleanup(name.clone());
    let (master, _) = started("master", &format!("nest-thread {name};ready;wait\nready\nwait")).await;
    let nested = with_token(&name)[0];
    eventually(SOON, "it is stopped", || {
        // Again if it was continued by the end of that thread, which may be later than the thread's own word of it.
        kill_process(Pid::from_raw(nested as i32).unwrap(), Signal::STOP).unwrap();
        stat(nested).is_some_and(|(state, _)| state == 'T')
    });
    kill_alone(&master);
    eventually(AT_ONCE, "it is gone", || with_token(&name).is_empty());
}

/// A worker whose lifeline has no thread yet, whatever it does.
#[tokio::test]
async fn a_killed_root_takes_along_who_has_no_lifeline_thread_yet() {
    let name = token("tied");
    let _cleanup = Cleanup(name.clone());
    let tree = format!(
        "nest {name}-stopped;tied;ready;stop;wait\nnest {name}-spinning;tied;ready;spin\n\
         nest-thread {name}-thread;tied;ready;wait\n\
         nest {name}-deaf;tied;deaf;plain {name}-deaf-plain;ready;spin\n\
         nest {name}-sub;tied;nest {name}-parent|tied|plain {name}-plain|ready|wait;ready;wait\nready\nwait"
    );
    for round in 0..4 {
        let (root, ..) = launch(worker(&name, &tree)).await.unwrap();
        eventually(SOON, "the tree is there", || with_token(&name).len() == 9);
        if round % 2 == 0 {
            // Signals that have nothing to do with the master's end change nothing.
            for pid in with_token(&name) {
                let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::CONT);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(with_token(&name).len(), 9);
        }
        kill_alone(&root);
        eventually(AT_ONCE, "the tree is gone", || with_token(&name).is_empty());
    }
}

#[tokio::test]
async fn a_survivor_lives_on_and_dies_with_its_processes() {
    let name = token("survivor");
    let _cleanup = Cleanup(name.clone());
    let pipe = std::io::pipe().unwrap();
    let tree = format!("nest-survive {name};plain {name}-plain;ready;until-eof\nready\nwait");
    let mut launch_it = worker("master", &tree);
    launch_it.descriptors.push(pipe.0.into());
    let (master, ..) = launch(launch_it).await.unwrap();
    eventually(SOON, "both are there", || with_token(&name).len() == 2);
    let survivor = *with_token(&name).iter().find(|pid| cmdline(**pid).contains("rpc-parallel-worker")).unwrap();
    let file = |number: u32| fs::read_link(format!("/proc/{survivor}/fd/{number}")).unwrap_or_default();
    assert_ne!(file(2).to_string_lossy(), "/dev/null");
    kill_alone(&master);
    master.exit().await;
    eventually(SOON, "it let go of its master's output", || {
        file(1).to_string_lossy() == "/dev/null" && file(2).to_string_lossy() == "/dev/null"
    });
    assert_eq!(with_token(&name).len(), 2);
    // Now it exits by itself, with nobody to end its group.
    drop(pipe.1);
    eventually(SOON, "it is gone", || with_token(&name).is_empty());
}

#[test]
fn the_marker_by_hand_is_refused() {
    let output = std::process::Command::new("/proc/self/exe")
        .env("RPC_PARALLEL_WORKER", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{:?}", output.status.signal());
    assert!(String::from_utf8_lossy(&output.stderr).contains("descriptor 0 is not its control socket"));
}
