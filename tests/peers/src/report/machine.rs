//! What everything was measured on, and with.

use std::{fmt::Write, fs, process::Command};

use crate::{peers, results::Results};

/// Machine, versions, how everybody was used.
pub(crate) fn describe(results: &Results) -> String {
    let mut text = String::from("## Measured on\n\n");
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let minutes = results.took.as_secs_f64() / 60.0;
    let release = read("/proc/sys/kernel/osrelease");
    let _ = writeln!(text, "- CPU: {}, {cpus} of them{}", cpu_model(), virtual_machine());
    let _ = writeln!(text, "- memory: {} MiB", memory());
    let _ = writeln!(text, "- Linux {release}");
    let _ = writeln!(text, "- {}, `--release`", rustc());
    let _ =
        writeln!(text, "- {} rounds in {minutes:.0} minutes, load average before: {}", results.rounds, results.load);
    text.push_str("\n| | how it is used | versions |\n|---|---|---|\n");
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap_or_default();
    for library in peers::all() {
        let versions = library.crates.iter().map(|name| format!("{name} {}", version(&lock, name)));
        let versions: Vec<String> = versions.collect();
        let _ = writeln!(text, "| {} | {} | {} |", library.name, library.used, versions.join(", "));
    }
    text
}

/// The version of a crate; of all of them, if there are several.
fn version(lock: &str, name: &str) -> String {
    let entry = format!("\nname = \"{name}\"\nversion = \"");
    let found = lock.match_indices(&entry).filter_map(|(at, _)| lock[at + entry.len()..].split('"').next());
    found.collect::<Vec<_>>().join(" and ")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().into()
}

/// The first value of a key in a file of `/proc`.
fn field(path: &str, key: &str) -> String {
    let file = read(path);
    let line = file.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.trim().into())
}

fn cpu_model() -> String {
    field("/proc/cpuinfo", "model name")
}

fn virtual_machine() -> &'static str {
    let flags = field("/proc/cpuinfo", "flags");
    if flags.split(' ').any(|flag| flag == "hypervisor") { ", virtual" } else { "" }
}

fn memory() -> u64 {
    let total = field("/proc/meminfo", "MemTotal");
    total.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) >> 10
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(|_| "rustc".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}
