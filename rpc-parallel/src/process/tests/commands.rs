//! What workers do in tests: the ticket is a list of commands, one per line.

use std::{
    env, fs,
    io::Read,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Command, Stdio, exit},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Signal, getpid, kill_process};

use crate::{
    bootstrap::Ticket,
    process::{Launch, LaunchError, OnMasterLoss, launch},
};

pub(crate) fn run(mut ticket: Ticket) -> ! {
    let size = ticket.bytes.len();
    let text = String::from_utf8(std::mem::take(&mut ticket.bytes)).unwrap();
    let control = ticket.control.clone();
    if !text.starts_with("tied")
        && let Some(mut tied) = ticket.tied.take()
    {
        tied.start_thread().unwrap();
    }
    for line in text.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            // The lifeline gets no thread.
            "tied" => {}
            "deaf" => block_continue(),
            "ready" => drop(control.ready(rest.as_bytes()).unwrap()),
            "fail" => control.failed(rest.as_bytes()),
            "panic" => panic!("{rest}"),
            "exit" => exit(rest.parse().unwrap()),
            "stderr" => eprintln!("{rest}"),
            "lines" => (0..rest.parse::<u32>().unwrap()).for_each(|n| eprintln!("line {n}")),
            "abort" => std::process::abort(),
            "overflow" => exit(overflow(&[0; 4096])),
            "stop" => kill_process(getpid(), Signal::STOP).unwrap(),
            "stubborn" => control.on_shutdown(|| {}),
            "on-shutdown" => {
                let code = rest.parse().unwrap();
                control.on_shutdown(move || exit(code));
            }
            "spin" => loop {
                std::hint::spin_loop();
            },
            "wait" => loop {
                thread::park();
            },
            // A plain process whose command line has the token.
            "plain" => drop(
                Command::new("sleep")
                    .arg0(rest)
                    .arg("1000")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap(),
            ),
            "size" => drop(control.ready(size.to_string().as_bytes()).unwrap()),
            "facts" => drop(control.ready(facts(&ticket).as_bytes()).unwrap()),
            "until-eof" => {
                let mut file = fs::File::from(ticket.descriptors.remove(0));
                file.read_to_end(&mut Vec::new()).unwrap();
            }
            "read" => {
                let mut text = String::new();
                let mut file = fs::File::from(ticket.descriptors.remove(0));
                file.read_to_string(&mut text).unwrap();
                drop(control.ready(format!("{} {text}", ticket.descriptors.len()).as_bytes()).unwrap());
            }
            // name;command;command: a worker of this worker, that lives as long as this one.
            "nest" => block_on(nest(rest, OnMasterLoss::End, Vec::new())).unwrap(),
            // Started by a thread that has ended.
            "nest-thread" => thread::scope(|scope| {
                let nested = scope.spawn(|| block_on(nest(rest, OnMasterLoss::End, Vec::new())));
                nested.join().unwrap().unwrap();
            }),
            // It gets the descriptors of this one.
            "nest-survive" => {
                let descriptors = std::mem::take(&mut ticket.descriptors);
                block_on(nest(rest, OnMasterLoss::Survive, descriptors)).unwrap();
            }
            "many" => drop(control.ready(block_on(many(rest)).as_bytes()).unwrap()),
            _ => panic!("no command {command:?}"),
        }
    }
    exit(0)
}

/// Keeps the signal of the tether from this thread, which is the only one.
fn block_continue() {
    let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is made empty before it is used.
    let blocked = unsafe {
        libc::sigemptyset(signals.as_mut_ptr());
        libc::sigaddset(signals.as_mut_ptr(), libc::SIGCONT);
        libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), std::ptr::null_mut())
    };
    assert_eq!(blocked, 0);
}

fn facts(ticket: &Ticket) -> String {
    let marker = env::var_os("RPC_PARALLEL_WORKER").is_some();
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let stdin = fs::read_link("/proc/self/fd/0").unwrap();
    let directory = env::current_dir().unwrap();
    let constructors = inventory::iter::<Constructor>().count();
    let fds: Vec<_> = (0..100).filter_map(|fd| fs::read_link(format!("/proc/self/fd/{fd}")).ok()).collect();
    format!(
        "marker={marker} comm={} stdin={} dir={} name={} constructors={constructors} fds={fds:?} variable={:?} args={:?}",
        comm.trim(),
        stdin.display(),
        directory.display(),
        ticket.name,
        env::var_os("VARIABLE"),
        env::args().collect::<Vec<_>>(),
    )
}

/// Stands for the registrations of a user: their constructors must have run before the worker does.
pub(crate) struct Constructor;

inventory::collect!(Constructor);
inventory::submit!(Constructor);
inventory::submit!(Constructor);
inventory::submit!(Constructor);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn nest(rest: &str, on_master_loss: OnMasterLoss, descriptors: Vec<OwnedFd>) -> Result<(), LaunchError> {
    let (name, commands) = rest.split_once(';').unwrap();
    let mut nested = Launch::new(name, commands.replace(';', "\n").replace('|', ";").into_bytes());
    nested.on_master_loss = on_master_loss;
    nested.descriptors = descriptors;
    launch(nested).await.map(drop)
}

/// Launches children in all ways, and counts what they leave behind.
async fn many(name: &str) -> String {
    // The keeper's own descriptors come with the first.
    one(name, 0).await;
    let before = leavings();
    for round in 0..10 {
        let starts = (0..10).map(|kind| one(name, round * 10 + kind));
        futures_util::future::join_all(starts).await;
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while leavings() != before && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    format!("{before:?} {:?}", leavings())
}

async fn one(name: &str, number: u32) {
    let start = |commands: &str| {
        let mut launch = Launch::new(format!("{name}-{number}"), commands.as_bytes().to_vec());
        launch.grace = Duration::from_millis(50);
        launch
    };
    match number % 5 {
        0 => {
            let (process, ..) = launch(start("ready\nwait")).await.unwrap();
            process.shutdown();
            process.exit().await;
        }
        1 => {
            let failed = launch(start("fail")).await;
            assert!(matches!(failed, Err(LaunchError::Failed(_))), "{failed:?}");
        }
        2 => {
            let mut slow = start("wait");
            slow.start_timeout = Duration::from_millis(20);
            assert!(matches!(launch(slow).await, Err(LaunchError::TimedOut(_))));
        }
        // Dropped at some moment of its start.
        3 => {
            let some = Duration::from_micros(u64::from(number) * 40);
            let _ = tokio::time::timeout(some, launch(start("wait"))).await;
        }
        _ => {
            let (process, ..) = launch(start("stubborn\nready\nspin")).await.unwrap();
            // No handle stays.
            drop(process.owned());
        }
    }
}

/// This process's open descriptors and children, dead or alive.
fn leavings() -> (usize, usize) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
    (descriptors, super::children_of(std::process::id()).len())
}

#[expect(unconditional_recursion)]
fn overflow(frame: &[u8; 4096]) -> i32 {
    let mut next = *frame;
    next[std::hint::black_box(7)] ^= 1;
    overflow(std::hint::black_box(&next)) + i32::from(next[0])
}
