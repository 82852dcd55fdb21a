//! Tables in Markdown.

use std::fmt::Write;

use crate::{
    peers::{self, LIMIT, OURS},
    placement::Placement,
    report::{figure, plot},
    results::{Group, Results},
    workload::ALL,
};

/// The targets, and who reaches what.
pub(crate) fn targets(results: &Results) -> String {
    let mut text = String::from(
        "## Targets\n\n\
         × is the cost relative to the limit that was measured in the same seconds: 1 is at the limit, 3 is three times the \
         time, 0.5 half of it. Each is the median of the rounds' ratios, and for each library the best of the ways in which it \
         was used.\n\n\
         | workload | placement | best peer × | must reach × | stretch × | rpc-parallel × | |\n\
         |---|---|---:|---:|---:|---:|---|\n",
    );
    let ours = peers::all().nth(OURS).expect("we are measured");
    for group in &results.groups {
        let peer = peers::all()
            .skip(OURS + 1)
            .filter_map(|library| Some((library.name, group.best_of(library)?.1.ratio)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let peer = peer.map_or("—".into(), |(name, ratio)| format!("{name} {}", figure::ratio(ratio)));
        let ratio = group.best_of(ours).map_or(f64::NAN, |(_, figures)| figures.ratio);
        let (must, stretch, verdict) = match group.target {
            Some(target) if ratio <= target.stretch => (target.must, target.stretch, "**stretch**"),
            Some(target) if ratio <= target.must => (target.must, target.stretch, "**reached**"),
            Some(target) => (target.must, target.stretch, "missed"),
            None => (f64::NAN, f64::NAN, ""),
        };
        let [must, stretch, ratio] = [must, stretch, ratio].map(figure::ratio);
        let (title, placement) = (group.workload.title, group.placement);
        let _ = writeln!(text, "| {title} | {placement} | {peer} | {must} | {stretch} | {ratio} | {verdict} |");
    }
    text
}

/// A table for each workload.
pub(crate) fn workloads(results: &Results, plots: bool) -> String {
    let mut text = String::from("## Workloads\n");
    for workload in &ALL {
        let groups: Vec<&Group> = results.groups.iter().filter(|group| group.workload.id == workload.id).collect();
        if groups.is_empty() {
            continue;
        }
        let _ = write!(text, "\n### {}\n", workload.title);
        if plots {
            let _ = write!(text, "\n![{}](benchmarks/{})\n", workload.title, plot::file(workload));
        }
        for group in groups {
            table(&mut text, group);
        }
    }
    text
}

fn table(text: &mut String, group: &Group) {
    let unit = group.workload.unit();
    let rate = figure::rate_header(unit);
    let latency = group.rows.iter().any(|row| !group.figures(row).sample.p99.is_nan());
    let cpu = group.rows.iter().any(|row| !group.figures(row).sample.cpu.is_nan());
    if group.workload.places.len() > 1 || group.placement != Placement::Free {
        let _ = write!(text, "\n{}:\n", sentence(group.placement));
    }

    let mut header = format!("\n| | {} |", figure::header(unit));
    let mut rule = String::from("|---|---:|");
    let mut column = |name: &str| {
        let _ = write!(header, " {name} |");
        rule.push_str("---:|");
    };
    if latency {
        column("p50");
        column("p99");
    }
    if let Some(rate) = rate {
        column(rate);
    }
    if cpu {
        column("CPU time, both ends");
    }
    column("×");
    if latency {
        column("× of p50");
    }
    column("× best – worst round");
    let _ = writeln!(text, "{header}\n{rule}");

    for (index, row) in group.rows.iter().enumerate() {
        let figures = group.figures(row);
        let sample = figures.sample;
        let name = match row.library.name {
            name if index == LIMIT => format!("*{name}*"),
            name => name.into(),
        };
        let variant = if row.variant.is_empty() { String::new() } else { format!(", {}", row.variant) };
        let failed = match figures.failed {
            0 => String::new(),
            failed => format!(" ({failed} rounds failed)"),
        };
        let _ = write!(text, "| {name}{variant}{failed} | {} |", figure::value(unit, sample.value));
        if latency {
            let _ = write!(text, " {} | {} |", figure::time(sample.median), figure::time(sample.p99));
        }
        if rate.is_some() {
            let _ = write!(text, " {} |", figure::rate(unit, sample.value));
        }
        if cpu {
            let _ = write!(text, " {} |", figure::time(sample.cpu));
        }
        let [ratio, best, worst] = [figures.ratio, figures.best, figures.worst].map(figure::ratio);
        let _ = write!(text, " {ratio} |");
        if latency {
            let _ = write!(text, " {} |", figure::ratio(figures.median_ratio));
        }
        let _ = writeln!(text, " {best} – {worst} |");
    }
    let absent = peers::all().filter(|library| (library.variants)(group.workload).is_empty());
    let absent: Vec<&str> = absent.map(|library| library.name).collect();
    if !absent.is_empty() {
        let _ = write!(text, "\nCannot do this: {}.\n", absent.join(", "));
    }
}

fn sentence(placement: Placement) -> &'static str {
    match placement {
        Placement::OneCpu => "All processes on one CPU",
        Placement::Apart => "A CPU each",
        Placement::Free => "Not pinned",
    }
}
