//! The first speed figures, each beside a limit of the machine that is measured in the same seconds.
//!
//! `cargo bench -p rpc-parallel-tests --bench speed [-- --rounds N] [-- --only TEXT]`
//!
//! The limit of calls and streams is a blocking ping-pong, or a blocking copy, over a Unix socket pair between two
//! processes; that of spawning is a bare fork + exec of this program. Every figure is the median of its rounds, and
//! every ratio is taken within one round.

mod limit;
mod placement;
mod spawning;
mod workloads;

use placement::Placement;

fn main() {
    // `cargo test --benches` runs this with `--test`: one quick round shows that it works.
    let quick = std::env::args().any(|arg| arg == "--test");
    let rounds = std::env::args()
        .skip_while(|arg| arg != "--rounds")
        .nth(1)
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(if quick { 1 } else { 7 });
    if std::env::args().any(|arg| arg == limit::ROLE) {
        limit::child();
        return;
    }
    if std::env::args().any(|arg| arg == spawning::ROLE) {
        spawning::child();
        return;
    }
    let only = std::env::args().skip_while(|arg| arg != "--only").nth(1).unwrap_or_default();
    println!("| workload | placement | rpc-parallel | limit | × |");
    println!("|---|---|---:|---:|---:|");
    for placement in Placement::ALL {
        for workload in
            workloads::ALL.into_iter().chain(spawning::ALL).filter(|workload| workload.name.contains(&only))
        {
            let mut pairs: Vec<(f64, f64)> = (0..rounds).map(|_| (workload.run)(placement, quick)).collect();
            let ratio = median(pairs.iter().map(|(ours, limit)| ours / limit).collect());
            let ours = median(pairs.iter().map(|(ours, _)| *ours).collect());
            let limit = median(pairs.drain(..).map(|(_, limit)| limit).collect());
            println!(
                "| {} | {placement} | {} | {} | {ratio:.2} |",
                workload.name,
                (workload.show)(ours),
                (workload.show)(limit)
            );
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
