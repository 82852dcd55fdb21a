//! The page for the documentation.

use std::{fmt::Write, fs, path::Path, process::Command};

use crate::{Cost, Kind, Row, chart::Chart};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// The row of the table at this index.
pub(crate) fn line(rows: &[Row], index: usize) -> String {
    let Row { kind, methods, ours, theirs } = &rows[index];
    let mut line = format!("| {} | {methods} |", kind.name());
    let _ = write!(line, " {:.2} / {:.2} |", ours.check, theirs.check);
    let _ = write!(line, " {} / {} |", ours.lines, theirs.lines);
    let _ = write!(line, " {} / {} |", ours.size >> 10, theirs.size >> 10);
    let _ = write!(line, " {} / {} |", ours.stripped >> 10, theirs.stripped >> 10);
    match rows.iter().find(|row| row.kind == *kind).filter(|row| row.methods < *methods) {
        Some(one) => {
            let added = |cost: &Cost, one: &Cost| (cost.stripped as f64 - one.stripped as f64) / 1024.0;
            let _ = write!(line, " {:.0} / {:.0} |", added(ours, &one.ours), added(theirs, &one.theirs));
        }
        None => line += " |",
    }
    let _ = write!(line, " {:.1} / {:.1} |", ours.build, theirs.build);
    line
}

/// Writes docs/compile-cost.md and its charts.
pub(crate) fn write(rows: &[Row], rounds: usize) {
    let mut text = HEAD.replace("RUSTC", &rustc()).replace("ROUNDS", &rounds.to_string());
    for index in 0..rows.len() {
        text += &line(rows, index);
        text.push('\n');
    }
    for kind in Kind::ALL {
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.kind == kind).collect();
        let [first, .., last] = of_kind[..] else { continue };
        let (ours, theirs) = (per_method(first, last, |row| row.ours), per_method(first, last, |row| row.theirs));
        let _ = write!(text, "\nA further method ({}) weighs {ours:.1} / {theirs:.1} KiB, stripped.\n", kind.name());
    }
    let directory = Path::new(DOCS).join("benchmarks");
    fs::create_dir_all(&directory).expect("the documentation is ours");
    let charts: [(&str, &str, &str, fn(&Cost) -> f64); 3] = [
        ("compile-check", "cargo check of the crate alone", "seconds", |cost| cost.check),
        ("compile-lines", "Expanded lines", "lines", |cost| cost.lines as f64),
        ("compile-size", "Stripped program, optimised", "KiB", |cost| cost.stripped as f64 / 1024.0),
    ];
    for (name, title, unit, value) in charts {
        let mut lines = Vec::new();
        for kind in Kind::ALL {
            let rows = || rows.iter().filter(move |row| row.kind == kind);
            let points = |cost: fn(&Row) -> &Cost| rows().map(|row| (row.methods as f64, value(cost(row)))).collect();
            lines.push((format!("rpc-parallel, {}", kind.name()), points(|row| &row.ours)));
            lines.push((format!("tarpc, {}", kind.name()), points(|row| &row.theirs)));
        }
        let (x, y) = ("methods of the trait".to_owned(), unit.to_owned());
        let chart = Chart { title: title.to_owned(), x, y, log_y: true, lines };
        fs::write(directory.join(name).with_extension("svg"), chart.svg()).expect("the documentation is ours");
        let _ = write!(text, "\n![{title}](benchmarks/{name}.svg)\n");
    }
    fs::write(Path::new(DOCS).join("compile-cost.md"), text).expect("the documentation is ours");
}

/// KiB of the stripped program.
fn per_method(first: &Row, last: &Row, cost: fn(&Row) -> Cost) -> f64 {
    let more = cost(last).stripped as f64 - cost(first).stripped as f64;
    more / 1024.0 / (last.methods - first.methods) as f64
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("-V").output().expect("the compiler is there");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    version.split_whitespace().nth(1).unwrap_or("unknown").to_owned()
}

const HEAD: &str = "\
# What a trait costs to compile

This page is written by

    cargo run --release --manifest-path tests/compile-cost/Cargo.toml

Each program has one trait, its implementation, and a call of every method. It starts a copy of itself as a worker, connects to
it over an inherited socket pair, and makes the calls: once with rpc-parallel, and once with tarpc 0.38, bincode, and a start by
hand, which does nothing about workers that are left over, deaths, or their reasons. *u64 → u64* is that one signature for all
methods; *mixed* is five signatures in turn.

- **check**: seconds of CPU time of `cargo check` of this crate alone, not incremental, everything it depends on being there;
  the median of rounds, here ROUNDS, that alternate between the two. It is nearly all on one thread.
- **expanded**: lines of `rustc -Zunpretty=expanded`.
- **program**: KiB of the optimised program, with cargo's default profile, as it is and stripped.
- **methods**: what the trait adds to that, stripped: KiB more than with one method. The rest is there once in a program, however
  many traits it has: the runtime, and of rpc-parallel what looks after processes, connections and streams. Of what ten methods of
  five signatures add, most is what their types need to be written and read: that is there once for each type.
- **build**: seconds of CPU time, on all threads, of that build of this crate alone, once.

With Rust RUSTC. Each cell is rpc-parallel / tarpc.

| signatures | methods | check, s | expanded, lines | program, KiB | stripped, KiB | methods, KiB | build, s |
|---|---:|---:|---:|---:|---:|---:|---:|
";
