//! What is written: tables, plots, and what they were measured on.

mod figure;
mod machine;
mod plot;
mod tables;

use std::{fs, io, path::Path};

use crate::results::Results;

/// Between these lines of `benchmarks.md` everything is written by this program, the rest is left as it is.
const BEGIN: &str = "<!-- From here on made by tests/peers: do not edit. -->";
const END: &str = "<!-- To here made by tests/peers. -->";

/// The tables alone.
pub(crate) fn print(results: &Results) {
    println!("{}", tables::targets(results));
    println!("{}", tables::workloads(results, false));
}

/// `benchmarks.md` and its plots.
pub(crate) fn write(results: &Results, out: &Path) -> io::Result<()> {
    let plots = out.join("benchmarks");
    fs::create_dir_all(&plots)?;
    for (name, plot) in plot::plots(results) {
        fs::write(plots.join(name), plot)?;
    }
    let page = out.join("benchmarks.md");
    let made = format!(
        "{BEGIN}\n\n{}\n{}\n{}\n{END}",
        machine::describe(results),
        tables::targets(results),
        tables::workloads(results, true)
    );
    let old = fs::read_to_string(&page).unwrap_or_default();
    let new = match (old.find(BEGIN), old.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{made}{}", &old[..begin], &old[end + END.len()..])
        }
        _ => format!("# Benchmarks\n\n{made}\n"),
    };
    fs::write(page, new)
}
