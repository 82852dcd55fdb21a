//! All measurements, and what they say.

use std::time::{Duration, Instant};

use crate::{
    cell::Cell,
    options::Options,
    peers::{self, LIMIT, Library},
    placement::Placement,
    sample::{Sample, median},
    workload::{ALL, Kind, Target, Workload},
};

/// One workload in one placement.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) workload: &'static Workload,
    pub(crate) placement: Placement,
    pub(crate) target: Option<Target>,
    /// The limit is the first.
    pub(crate) rows: Vec<Row>,
}

/// A library's way to do it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) library: &'static Library,
    pub(crate) variant: &'static str,
    /// One for each round. Nothing: it did not end, or failed.
    samples: Vec<Option<Sample>>,
}

/// What the rounds say together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) sample: Sample,
    /// The multiple of the limit: the median of the rounds, the best one and the worst one.
    pub(crate) ratio: f64,
    pub(crate) best: f64,
    pub(crate) worst: f64,
    /// The same of the medians of latencies.
    pub(crate) median_ratio: f64,
    /// How many rounds gave nothing.
    pub(crate) failed: usize,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) groups: Vec<Group>,
    pub(crate) rounds: usize,
    /// What else the machine did before: the load average of the last minute.
    pub(crate) load: String,
    pub(crate) took: Duration,
}

impl Results {
    /// Measures.
    pub(crate) fn measure(options: &Options) -> Self {
        let start = Instant::now();
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default().into();
        let mut groups = groups(&options.only);
        for round in 0..options.rounds {
            let count = groups.len();
            for (index, group) in groups.iter_mut().enumerate() {
                eprint!("\r\x1b[Kround {} of {}, {}/{count}: ", round + 1, options.rounds, index + 1);
                eprint!("{}, {}", group.workload.title, group.placement);
                group.measure(round, options.budget);
            }
        }
        eprintln!("\r\x1b[K");
        Self { groups, rounds: options.rounds, load, took: start.elapsed() }
    }

    /// How many measurements gave nothing.
    pub(crate) fn failures(&self) -> usize {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.flat_map(|row| &row.samples).filter(|sample| sample.is_none()).count()
    }
}

fn groups(only: &str) -> Vec<Group> {
    let alone = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() < 2);
    let asked = ALL.iter().filter(|workload| workload.title.contains(only) || workload.id.contains(only));
    asked
        .flat_map(|workload| workload.places.iter().map(move |&(placement, target)| (workload, placement, target)))
        .filter(|(_, placement, _)| !(alone && *placement == Placement::Apart))
        .map(|(workload, placement, target)| Group { workload, placement, target, rows: rows(workload) })
        .collect()
}

fn rows(workload: &Workload) -> Vec<Row> {
    peers::all()
        .flat_map(|library| (library.variants)(workload).iter().map(move |&variant| (library, variant)))
        .map(|(library, variant)| Row { library, variant, samples: Vec::new() })
        .collect()
}

impl Group {
    fn measure(&mut self, round: usize, budget: Duration) {
        let budget = budget * weight(self.workload.kind);
        // The limit first, then everybody else, in another order each time.
        let others = self.rows.len() - 1;
        let order = (0..others).map(|index| 1 + (index + round) % others);
        for index in std::iter::once(LIMIT).chain(order) {
            let row = &mut self.rows[index];
            let cell = Cell {
                library: row.library,
                workload: self.workload,
                variant: row.variant.into(),
                placement: self.placement,
                budget,
            };
            row.samples.push(cell.measure());
        }
    }

    pub(crate) fn figures(&self, row: &Row) -> Figures {
        let limit = &self.rows[LIMIT];
        let ratios = |field: fn(&Sample) -> f64| -> Vec<f64> {
            let both = row.samples.iter().zip(&limit.samples);
            both.filter_map(|(sample, limit)| Some(field(sample.as_ref()?) / field(limit.as_ref()?))).collect()
        };
        let medians = ratios(|sample| sample.median);
        let ratios = ratios(|sample| sample.value);
        let of = |field: fn(&Sample) -> f64| median(row.samples.iter().flatten().map(field));
        Figures {
            sample: Sample {
                value: of(|sample| sample.value),
                median: of(|sample| sample.median),
                p99: of(|sample| sample.p99),
                cpu: of(|sample| sample.cpu),
            },
            ratio: median(ratios.iter().copied()),
            best: ratios.iter().copied().fold(f64::NAN, f64::min),
            median_ratio: median(medians),
            worst: ratios.iter().copied().fold(f64::NAN, f64::max),
            failed: row.samples.iter().filter(|sample| sample.is_none()).count(),
        }
    }

    /// The best way of a library.
    pub(crate) fn best_of(&self, library: &Library) -> Option<(&Row, Figures)> {
        let rows = self.rows.iter().filter(|row| row.library.name == library.name);
        let figures = rows.map(|row| (row, self.figures(row))).filter(|(_, figures)| !figures.ratio.is_nan());
        figures.min_by(|a, b| a.1.ratio.total_cmp(&b.1.ratio))
    }
}

/// How much longer a workload is measured than others: where a single operation takes long.
fn weight(kind: Kind) -> u32 {
    match kind {
        Kind::Echo { size } if size > 1 << 24 => 3,
        Kind::Spawn { workers } if workers > 1 => 2,
        _ => 1,
    }
}
