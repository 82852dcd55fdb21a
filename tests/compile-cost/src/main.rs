//! What a worker trait costs to compile, beside a service of tarpc with the same methods.
//!
//! `cargo run --release --manifest-path tests/compile-cost/Cargo.toml [-- --rounds N]` takes ten minutes, and writes
//! docs/compile-cost.md.

mod build;
// One kind of chart for all pages.
#[path = "../../src/chart.rs"]
mod chart;
mod generate;
mod page;

use build::Crate;
use generate::Kind;

/// What one program costs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Seconds of CPU time of `cargo check`, everything it depends on being there.
    check: f64,
    lines: usize,
    /// Seconds of CPU time of an optimised build.
    build: f64,
    size: u64,
    stripped: u64,
}

/// The same trait for both libraries.
struct Row {
    kind: Kind,
    methods: usize,
    ours: Cost,
    theirs: Cost,
}

fn main() {
    if build::expanded_as_a_wrapper() {
        return;
    }
    let rounds = std::env::args().skip_while(|arg| arg != "--rounds").nth(1);
    let rounds: usize = rounds.map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    // What they depend on.
    for program in programs(Kind::Numbers, 10) {
        program.check();
        program.build();
    }
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for methods in METHODS {
            let programs = programs(kind, methods);
            let mut checks = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                for (program, checks) in programs.iter().zip(&mut checks) {
                    checks.push(program.check());
                }
            }
            let [ours, theirs] = [0, 1].map(|index| {
                let program = &programs[index];
                let (build, size, stripped) = program.build();
                Cost { check: median(&checks[index]), lines: program.expanded_lines(), build, size, stripped }
            });
            rows.push(Row { kind, methods, ours, theirs });
            eprintln!("{}", page::line(&rows, rows.len() - 1));
        }
    }
    page::write(&rows, rounds);
}

/// The same trait for both libraries.
fn programs(kind: Kind, methods: usize) -> [Crate; 2] {
    [
        Crate::new("ours", &format!("ours-{kind:?}-{methods}"), &generate::ours(kind, methods)),
        Crate::new("theirs", &format!("theirs-{kind:?}-{methods}"), &generate::theirs(kind, methods)),
    ]
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The first is what the others are compared with: all of its program but one method is the library and the runtime.
const METHODS: [usize; 4] = [1, 10, 100, 1000];
