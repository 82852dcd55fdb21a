//! Bar charts in SVG: for each workload the multiples of the limit, on a logarithmic axis.

use std::fmt::Write;

use crate::{
    peers::{LIMIT, OURS},
    report::figure,
    results::{Group, Results},
    workload::{ALL, Workload},
};

const WIDTH: f64 = 860.0;
/// Where the bars begin and end.
const LEFT: f64 = 230.0;
const RIGHT: f64 = WIDTH - 150.0;
const BAR: f64 = 17.0;
const STEP: f64 = 24.0;
/// Above and below the bars of a group.
const HEAD: f64 = 34.0;
const FOOT: f64 = 34.0;
const TITLE: f64 = 54.0;

const OURS_COLOR: &str = "#d9480f";
const LIMIT_COLOR: &str = "#868e96";
const PEER_COLOR: &str = "#4c78a8";

/// The name of a workload's plot.
pub(crate) fn file(workload: &Workload) -> String {
    format!("{}.svg", workload.id)
}

/// Names and contents.
pub(crate) fn plots(results: &Results) -> Vec<(String, String)> {
    let of = |workload: &Workload| -> Vec<&Group> {
        results.groups.iter().filter(|group| group.workload.id == workload.id).collect()
    };
    let all = ALL.iter().map(|workload| (workload, of(workload))).filter(|(_, groups)| !groups.is_empty());
    all.map(|(workload, groups)| (file(workload), plot(workload, &groups))).collect()
}

/// Where a multiple is on the axis of one workload.
struct Axis {
    low: i32,
    high: i32,
}

impl Axis {
    fn of(groups: &[&Group]) -> Self {
        let ratios = groups.iter().flat_map(|group| group.rows.iter().map(|row| group.figures(row).ratio));
        let exponents: Vec<f64> = ratios.filter(|ratio| *ratio > 0.0).map(f64::log10).collect();
        let low = exponents.iter().copied().fold(-0.5, f64::min).floor() as i32;
        let high = exponents.iter().copied().fold(0.5, f64::max).ceil() as i32;
        Self { low, high }
    }

    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

fn plot(workload: &Workload, groups: &[&Group]) -> String {
    let axis = Axis::of(groups);
    let height: f64 = TITLE + groups.iter().map(|group| height(group)).sum::<f64>();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, 12.0, 24.0, "font-size=\"15\" font-weight=\"600\"", workload.title);
    let what = "cost relative to the limit, logarithmic: less is better. Thin lines: best and worst round.";
    text(&mut svg, 12.0, 42.0, "font-size=\"12\" fill=\"#495057\"", what);
    let mut top = TITLE;
    for group in groups {
        panel(&mut svg, group, &axis, top);
        top += height_of(group.rows.len());
    }
    svg.push_str("</svg>\n");
    svg
}

fn height(group: &Group) -> f64 {
    height_of(group.rows.len())
}

fn height_of(rows: usize) -> f64 {
    HEAD + rows as f64 * STEP + FOOT
}

fn panel(svg: &mut String, group: &Group, axis: &Axis, top: f64) {
    let (first, last) = (top + HEAD, top + HEAD + group.rows.len() as f64 * STEP);
    text(svg, 12.0, top + 22.0, "font-weight=\"600\"", &group.placement.to_string());
    for exponent in axis.low..=axis.high {
        let (x, ratio) = (axis.x(10f64.powi(exponent)), 10f64.powi(exponent));
        line(svg, x, first - 4.0, last, if exponent == 0 { "#495057" } else { "#dee2e6" }, "");
        text(svg, x, last + 16.0, "text-anchor=\"middle\" font-size=\"11\" fill=\"#495057\"", &format!("{ratio} ×"));
    }
    let ours = &group.rows.iter().map(|row| row.library.name).nth(OURS);
    for (index, row) in group.rows.iter().enumerate() {
        let figures = group.figures(row);
        let y = first + index as f64 * STEP;
        let color = match row.library.name {
            _ if index == LIMIT => LIMIT_COLOR,
            name if Some(name) == *ours => OURS_COLOR,
            _ => PEER_COLOR,
        };
        let middle = y + BAR - 4.0;
        let name = match row.variant {
            "" => row.library.name.into(),
            variant => format!("{}, {variant}", row.library.name),
        };
        text(svg, LEFT - 8.0, middle, "text-anchor=\"end\"", &name);
        if figures.ratio.is_nan() {
            continue;
        }
        let width = (axis.x(figures.ratio) - LEFT).max(1.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{color}\"/>"
        );
        let label = format!(
            "{} × ({})",
            figure::ratio(figures.ratio),
            match group.workload.unit() {
                unit @ crate::workload::Unit::Kib => format!("{} KiB", figure::value(unit, figures.sample.value)),
                unit => figure::value(unit, figures.sample.value),
            }
        );
        let (best, worst) = (axis.x(figures.best), axis.x(figures.worst));
        let _ = writeln!(
            svg,
            "<path d=\"M{best:.1} {at:.1}H{worst:.1}\" stroke=\"#212529\" stroke-width=\"1.5\"/>",
            at = y + BAR / 2.0
        );
        text(svg, worst.max(LEFT + width) + 6.0, middle, "font-size=\"12\" fill=\"#212529\"", &label);
    }
    if let Some(target) = group.target {
        let x = axis.x(target.must);
        line(svg, x, first - 4.0, last, OURS_COLOR, "stroke-dasharray=\"5 3\"");
        let label = format!("target {} ×", figure::ratio(target.must));
        text(svg, x, first - 8.0, &format!("text-anchor=\"middle\" font-size=\"11\" fill=\"{OURS_COLOR}\""), &label);
    }
}

fn line(svg: &mut String, x: f64, from: f64, to: f64, color: &str, more: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\" stroke=\"{color}\" {more}/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, more: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {more}>{text}</text>");
}
