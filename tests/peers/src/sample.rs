//! What one measurement gives.

use std::fmt;

/// One workload, placement, library and variant in one round. What does not apply is not a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Seconds for one unit, or KiB.
    pub(crate) value: f64,
    /// Of the latencies, in seconds.
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Seconds of CPU time of both ends for one unit.
    pub(crate) cpu: f64,
}

impl Sample {
    /// KiB, and nothing else.
    pub(crate) fn kib(value: f64) -> Self {
        Self { value, median: f64::NAN, p99: f64::NAN, cpu: f64::NAN }
    }

    /// Reads what `Display` wrote.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.strip_prefix("sample ")?.split_whitespace().map(|field| field.parse().ok());
        let mut next = || fields.next().flatten();
        Some(Self { value: next()?, median: next()?, p99: next()?, cpu: next()? })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sample {:e} {:e} {:e} {:e}", self.value, self.median, self.p99, self.cpu)
    }
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

pub(crate) fn quantile(values: impl IntoIterator<Item = f64>, quantile: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => values[((length as f64 * quantile) as usize).min(length - 1)],
    }
}
