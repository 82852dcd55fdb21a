//! Runs of the counted program.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
};

use rpc_parallel_tests::{LONG, wait_until};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rpc-parallel-counts");

/// Enough units that what differs between two starts, such as the seeds of hash maps, does not show.
fn units(workload: &str) -> usize {
    match workload {
        "pipelined" | "window" => 10,
        "download" | "upload" => 200,
        _ => 1000,
    }
}

/// (count of 2 n units - count of n units) / n
fn per_unit(units: usize, count: impl Fn(usize) -> f64) -> f64 {
    // The longer one last: what it leaves behind is shown.
    let shorter = count(units);
    (count(2 * units) - shorter) / units as f64
}

/// What the program itself has counted, the least of several runs: in one whose sides take their turns badly a buffer may have
/// to grow once more.
pub(crate) fn reported(workload: &str, what: &str) -> f64 {
    per_unit(units(workload), |units| least_of(|| run(Command::new(PROGRAM), workload, units)[what]))
}

/// System calls of both processes and all their threads, the least of several runs: in one whose sides take their turns badly, such
/// as on a machine with other work, twice as many are not rare.
pub(crate) fn system_calls(workload: &str) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    // A few thousand items need none at all.
    let many = if matches!(workload, "download" | "upload") { 20 } else { 1 };
    let calls = per_unit(many * units(workload), |units| {
        least_of(|| {
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o"]).arg(&file).arg(PROGRAM);
            run(command, workload, units);
            let trace = fs::read_to_string(&file).unwrap();
            trace.lines().filter(|line| is_system_call(line)).count() as f64
        })
    });
    if let Ok(trace) = fs::read_to_string(&file) {
        print_most(&trace);
    }
    calls
}

/// Not a signal, an exit, nor the second half of a call that another thread has interrupted.
fn is_system_call(line: &str) -> bool {
    let text = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Shows which calls there are most of, so that it is clear where a new one comes from.
fn print_most(trace: &str) {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for line in trace.lines().filter(|line| is_system_call(line)) {
        let name = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').split('(').next().unwrap();
        *names.entry(name).or_default() += 1;
    }
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("    in the longer run: {:?}", &names[..names.len().min(5)]);
}

/// Instructions in user space.
#[derive(Clone, Copy)]
pub(crate) struct Instructions {
    pub(crate) caller: f64,
    pub(crate) worker: f64,
}

/// The instructions of either process, counted once for each workload.
pub(crate) fn instructions(workload: &str) -> Instructions {
    static COUNTED: Mutex<Vec<(String, Instructions)>> = Mutex::new(Vec::new());
    let mut counted = COUNTED.lock().unwrap();
    if let Some((_, instructions)) = counted.iter().find(|(name, _)| name == workload) {
        return *instructions;
    }
    let units = units(workload);
    let (short, long) = (least_instructions(workload, units), least_instructions(workload, 2 * units));
    let instructions = Instructions {
        caller: (long.caller - short.caller) / units as f64,
        worker: (long.worker - short.worker) / units as f64,
    };
    counted.push((workload.to_owned(), instructions));
    instructions
}

/// The least of several runs: now and then one makes a detour, such as to poll once more for each call, for as long as it lasts.
fn least_instructions(workload: &str, units: usize) -> Instructions {
    let runs: Vec<_> = (0..RUNS).map(|_| instructions_of(workload, units)).collect();
    let least = |side: fn(&Instructions) -> f64| runs.iter().map(side).fold(f64::MAX, f64::min);
    Instructions { caller: least(|run| run.caller), worker: least(|run| run.worker) }
}

/// The least of several runs.
fn least_of(run: impl Fn() -> f64) -> f64 {
    (0..RUNS).map(|_| run()).fold(f64::MAX, f64::min)
}

/// Of each length. A run takes about a second.
const RUNS: usize = 3;

fn instructions_of(workload: &str, units: usize) -> Instructions {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("valgrind");
    command.args(["-q", "--tool=callgrind", "--trace-children=yes"]);
    for (option, name) in [("callgrind-out", "count."), ("log", "log.")] {
        command.arg(format!("--{option}-file={}/{name}%p", directory.path().display()));
    }
    command.arg(PROGRAM);
    let caller = format!("count.{}", run(command, workload, units)["pid"]);
    let mut instructions = Instructions { caller: 0.0, worker: 0.0 };
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        match entry.file_name().to_str().unwrap() {
            name if name == caller => instructions.caller += total(&entry.path()),
            name if name.starts_with("count.") => instructions.worker += total(&entry.path()),
            _ => {}
        }
    }
    assert!(instructions.caller > 0.0 && instructions.worker > 0.0, "a process wrote no count");
    instructions
}

/// The line `totals: N` of what callgrind writes.
fn total(path: &Path) -> f64 {
    let text = fs::read_to_string(path).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap_or_else(|| panic!("{} has no total", path.display())).trim().parse().unwrap()
}

/// Runs the program, with what is to watch it, on one CPU, and returns what it says.
fn run(mut command: Command, workload: &str, units: usize) -> HashMap<String, f64> {
    pin();
    let command = command.arg(workload).arg(units.to_string());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    if !wait_until(LONG, || child.try_wait().unwrap().is_some()) {
        let _ = child.kill();
        panic!("{command:?} is still not done");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines()
        .map(|line| {
            let (name, value) = line.split_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Keeps this thread, and what it starts from now on, on one CPU: on several it is chance which process runs first.
fn pin() {
    let usable = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| usable.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).unwrap();
}
