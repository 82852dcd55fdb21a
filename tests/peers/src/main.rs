//! rpc-parallel, its peers and the limits of the machine, side by side.

mod asynchronous;
mod blocking;
mod cell;
mod cpu;
mod meter;
mod peers;
mod placement;
mod process;
mod sample;
mod workload;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some(process::ROLE) => {
            process::begin(&args[2]);
            let library = peers::find(&args[1]).expect("a worker knows its library");
            (library.worker)(&args[3..]);
        }
        Some(cell::ROLE) => cell::Cell::run(&args[1..]),
        _ => {}
    }
}
