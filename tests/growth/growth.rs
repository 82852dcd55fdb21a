//! What was measured along one axis.

use std::fmt::Write;

use rpc_parallel_tests::Chart;

/// Costs in microseconds, by how many there are.
pub(crate) struct Growth {
    /// Of its files.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    axis: &'static str,
    lines: Vec<(&'static str, Vec<(usize, f64)>)>,
}

impl Growth {
    pub(crate) fn new(name: &'static str, title: &'static str, axis: &'static str) -> Self {
        Self { name, title, axis, lines: Vec::new() }
    }

    /// The powers of ten, and the largest.
    pub(crate) fn sizes(largest: usize) -> Vec<usize> {
        let mut sizes: Vec<usize> =
            std::iter::successors(Some(1), |n| Some(n * 10)).take_while(|n| *n < largest).collect();
        sizes.push(largest);
        sizes
    }

    pub(crate) fn add(&mut self, line: &'static str, n: usize, micros: f64) {
        let found = self.lines.iter().position(|(name, _)| *name == line);
        let index = found.unwrap_or_else(|| {
            self.lines.push((line, Vec::new()));
            self.lines.len() - 1
        });
        self.lines[index].1.push((n, micros));
    }

    /// A row for each number, and how much the most costs beside the least of those before it.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("| {} |", self.axis);
        for (line, _) in &self.lines {
            let _ = write!(text, " {line} |");
        }
        text += "\n|---:|";
        text += &"---:|".repeat(self.lines.len());
        let mut sizes: Vec<usize> =
            self.lines.iter().flat_map(|(_, points)| points.iter().map(|(n, _)| *n)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            let _ = write!(text, "\n| {size} |");
            for (_, points) in &self.lines {
                let _ = match points.iter().find(|(n, _)| *n == size) {
                    Some((_, micros)) => write!(text, " {micros:.2} |"),
                    None => write!(text, " |"),
                };
            }
        }
        let rows: [(&str, Comparison); 2] = [("beside the first", beside_first), ("growth", growth)];
        for (name, value) in rows {
            let _ = write!(text, "\n| **{name}** |");
            for (_, points) in &self.lines {
                let _ = write!(text, " {:.2} × |", value(points));
            }
        }
        text.push('\n');
        text
    }

    pub(crate) fn chart(&self) -> Chart {
        let points = |points: &[(usize, f64)]| points.iter().map(|(n, micros)| (*n as f64, *micros)).collect();
        Chart {
            title: self.title.to_owned(),
            x: self.axis.to_owned(),
            y: "µs of CPU time, both ends".to_owned(),
            log_y: true,
            lines: self.lines.iter().map(|(name, line)| ((*name).to_owned(), points(line))).collect(),
        }
    }
}

type Comparison = fn(&[(usize, f64)]) -> f64;

/// The cost of the most, beside that of the fewest.
fn beside_first(points: &[(usize, f64)]) -> f64 {
    match points {
        [(_, first), .., (_, last)] => last / first,
        _ => 1.0,
    }
}

/// The cost of the most, beside the least cost of fewer.
fn growth(points: &[(usize, f64)]) -> f64 {
    let Some(((_, last), before)) = points.split_last() else { return 1.0 };
    let least = before.iter().map(|(_, micros)| *micros).fold(f64::MAX, f64::min);
    if before.is_empty() { 1.0 } else { last / least }
}
