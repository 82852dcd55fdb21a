//! A worker that dies under load: every caller learns at once, and learns why.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use rpc_parallel::{CallError, DeathReport, Exit, Settings, Spawn};
use rpc_parallel_tests::{Process, Random, alone, within};
use rustix::process::Signal;
use tokio::time::sleep;

use crate::{
    rounds,
    target::{AimClient, Crash, Target},
};

/// How many workers at once.
const AT_ONCE: usize = 4;

/// The ways to die, in rotation. The first is done from outside.
const WAYS: [Option<Crash>; 6] = [
    None,
    Some(Crash::Signal(11)),
    Some(Crash::Abort),
    Some(Crash::Exit(3)),
    Some(Crash::Panic),
    Some(Crash::Overflow),
];

#[test]
fn every_caller_learns_of_the_death() {
    let random = Random::from_env("every_caller_learns_of_the_death");
    let next = Arc::new(AtomicU64::new(0));
    alone(async {
        join_all((0..AT_ONCE).map(|_| {
            let (next, random) = (Arc::clone(&next), random.clone());
            async move {
                loop {
                    let round = next.fetch_add(1, Relaxed);
                    if round >= rounds() {
                        return;
                    }
                    let way = WAYS[round as usize % WAYS.len()];
                    within(&format!("round {round}, {way:?}"), kill_under_load(round, way, random.fork(round))).await;
                }
            }
        }))
        .await;
    });
}

#[expect(clippy::too_many_lines, reason = "every kind of call, all at once")]
async fn kill_under_load(round: u64, way: Option<Crash>, mut random: Random) {
    let name = format!("target-{round}");
    // What was received before the death is still read: a megabyte of small items would make a round a second long.
    let mut settings = Settings::default();
    settings.stream_window = 16 << 10;
    let spawning = Target::spawn::<AimClient>(()).name(&name).settings(settings).threads(1 + round as usize % 2);
    let worker = spawning.await.unwrap();
    let client = worker.connect().await.unwrap();
    // The words reach the master before the death, also where that comes from outside.
    client.say(format!("last words of {name}")).await.unwrap();

    let pid = worker.pid();
    let check = {
        let name = name.clone();
        move |what: &str, error: CallError<String>| match error {
            CallError::WorkerDied(report) => check(round, way, &name, pid, &report),
            other => panic!("round {round}, {way:?}, {what}: {other:?}"),
        }
    };

    let replies = join_all((0..20).map(|n| {
        let (client, check) = (client.clone(), check.clone());
        async move {
            // Some wait for ever, the others come and go until the end.
            loop {
                let result = if n % 4 == 0 { client.wait().await } else { client.count(n).await.map(drop) };
                if let Err(error) = result {
                    return check("call", error.widen());
                }
            }
        }
    }));
    let fallible = async {
        loop {
            match client.refuse(1).await {
                Err(CallError::App(text)) => assert_eq!(text, "refused"),
                Err(error) => return check("fallible call", error),
                Ok(()) => panic!("round {round}: it was not refused"),
            }
        }
    };
    let downloads = join_all((0..4).map(|n| {
        let (client, check) = (client.clone(), check.clone());
        async move {
            let mut stream = match client.numbers(n % 2 == 0).await {
                Ok(stream) => stream,
                Err(error) => return check("download", error.widen()),
            };
            loop {
                match stream.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        check("item", error.widen());
                        // After its error a stream is over.
                        assert!(stream.next().await.is_none());
                        return;
                    }
                    None => panic!("round {round}: a stream ended as if it were complete"),
                }
            }
        }
    }));
    let uploads = async {
        check("upload", client.sum(stream::repeat(1)).await.unwrap_err().widen());
        // And one that has nothing to send when it happens.
        check("idle upload", client.sum(stream::pending()).await.unwrap_err().widen());
    };
    let both = async {
        let mut stream = match client.doubled(stream::repeat(2)).await {
            Ok(stream) => stream,
            Err(error) => return check("bidirectional call", error.widen()),
        };
        let error = loop {
            match stream.next().await {
                Some(Ok(item)) => assert_eq!(item, 4),
                Some(Err(error)) => break error,
                None => panic!("round {round}: a stream ended as if it were complete"),
            }
        };
        check("bidirectional stream", error.widen());
    };
    let one_way = async {
        loop {
            if let Err(error) = client.note("x".repeat(100)).await {
                return check("one-way", error.widen());
            }
            sleep(Duration::from_micros(100)).await;
        }
    };
    let death = async {
        sleep(random.up_to(Duration::from_millis(15))).await;
        match way {
            None => Process::of(pid).unwrap().signal(Signal::KILL).unwrap(),
            Some(crash) => check("the crash", client.crash(crash).await.unwrap_err().widen()),
        }
        let report = worker.exit().await;
        self::check(round, way, &name, pid, &report);
    };
    tokio::join!(replies, fallible, downloads, uploads, both, one_way, death);

    // The end is final, and known to who comes later.
    check("late call", client.count(0).await.unwrap_err().widen());
    check("late one-way", client.note(String::new()).await.unwrap_err().widen());
    assert!(worker.connect().await.is_err());
    assert!(worker.try_exit().is_some());
}

fn check(round: u64, way: Option<Crash>, name: &str, pid: u32, report: &DeathReport) {
    let expected = |exit: Exit| match (way, exit) {
        (None, Exit::Signal { signal: 9, .. }) => true,
        (Some(Crash::Signal(wanted)), Exit::Signal { signal, .. }) => signal == wanted,
        (Some(Crash::Abort | Crash::Panic | Crash::Overflow), Exit::Signal { signal, .. }) => {
            // A stack overflow is a bare SIGSEGV where std's own handler was not set up.
            signal == 6 || (way == Some(Crash::Overflow) && signal == 11)
        }
        (Some(Crash::Exit(wanted)), Exit::Code(code)) => code == wanted,
        _ => false,
    };
    assert!(expected(report.exit), "round {round}, {way:?}: {report}");
    assert_eq!((report.name.as_str(), report.pid), (name, pid), "round {round}");
    let has = |words: &str| report.stderr.iter().any(|line| line.contains(words));
    assert!(has(&format!("last words of {name}")), "round {round}, {way:?}: {report}");
    if way == Some(Crash::Panic) {
        assert!(has("the last panic"), "round {round}: {report}");
    }
}
