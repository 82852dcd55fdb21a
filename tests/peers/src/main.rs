//! rpc-parallel, its peers and the limits of the machine, side by side.
//!
//! `cargo run --release --manifest-path tests/peers/Cargo.toml [-- --rounds N] [--only TEXT] [--quick] [--out DIR]`
//!
//! Every measurement is a process of its own, the caller, which starts the workers: see `cell`. In a round each workload
//! is measured for the limit and then at once for everybody else, so that a ratio is of figures that are seconds apart.

mod asynchronous;
mod blocking;
mod cell;
mod cpu;
mod meter;
mod options;
mod peers;
mod placement;
mod process;
mod report;
mod results;
mod sample;
mod workload;

use std::process::ExitCode;

use options::{Options, USAGE};
use results::Results;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some(process::ROLE) => {
            process::begin(&args[2]);
            let library = peers::find(&args[1]).expect("a worker knows its library");
            (library.worker)(&args[3..]);
            ExitCode::SUCCESS
        }
        Some(cell::ROLE) => {
            cell::Cell::run(&args[1..]);
            ExitCode::SUCCESS
        }
        _ => match Options::parse(&args) {
            Some(options) => benchmark(&options),
            None => {
                eprintln!("{USAGE}");
                ExitCode::from(2)
            }
        },
    }
}

fn benchmark(options: &Options) -> ExitCode {
    let results = Results::measure(options);
    report::print(&results);
    if let Some(out) = &options.out
        && let Err(error) = report::write(&results, out)
    {
        eprintln!("{} cannot be written: {error}", out.display());
        return ExitCode::FAILURE;
    }
    match results.failures() {
        0 => ExitCode::SUCCESS,
        failures => {
            eprintln!("{failures} measurements gave no result");
            ExitCode::FAILURE
        }
    }
}
