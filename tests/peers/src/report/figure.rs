//! How figures are written.

use crate::workload::Unit;

/// The header of the figure of a workload.
pub(crate) fn header(unit: Unit) -> &'static str {
    match unit {
        Unit::Call => "time a call",
        Unit::Item => "time an item",
        Unit::Echo(_) => "time an echo",
        Unit::Spawn => "time",
        Unit::Round => "time a round",
        Unit::Kib => "KiB",
    }
}

/// The header of the rate, if there is one.
pub(crate) fn rate_header(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Call => Some("calls/s"),
        Unit::Item => Some("items/s"),
        Unit::Echo(_) => Some("MiB/s"),
        Unit::Round => Some("rounds/s"),
        Unit::Spawn | Unit::Kib => None,
    }
}

pub(crate) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Kib => format!("{value:.0}"),
        _ => time(value),
    }
}

pub(crate) fn rate(unit: Unit, seconds: f64) -> String {
    match unit {
        Unit::Echo(size) => count(size as f64 / f64::from(1 << 20) / seconds),
        _ => count(1.0 / seconds),
    }
}

/// Three digits that matter, with their unit.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds.is_nan() => "".into(),
        _ if seconds < 1e-6 => format!("{} ns", digits(seconds * 1e9)),
        _ if seconds < 1e-3 => format!("{} µs", digits(seconds * 1e6)),
        _ => format!("{} ms", digits(seconds * 1e3)),
    }
}

/// A multiple of the limit.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio.is_nan() { "—".into() } else { digits(ratio) }
}

fn count(count: f64) -> String {
    match count {
        _ if count.is_nan() => "".into(),
        _ if count >= 1e6 => format!("{} M", digits(count * 1e-6)),
        _ if count >= 1e4 => format!("{} k", digits(count * 1e-3)),
        _ => digits(count),
    }
}

fn digits(value: f64) -> String {
    match value {
        _ if value >= 99.95 => format!("{value:.0}"),
        _ if value >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
