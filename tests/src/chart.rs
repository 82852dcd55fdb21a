//! Line charts for the documentation.

use std::fmt::Write;

/// A line chart with a logarithmic x axis, as SVG.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Below the x axis.
    pub x: String,
    /// Beside the y axis.
    pub y: String,
    /// Whether the y axis is logarithmic too. Otherwise it starts at zero.
    pub log_y: bool,
    /// The lines: a name, and points in the order of their x.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Chart {
    /// The file's text.
    pub fn svg(&self) -> String {
        let (xs, ys) = (self.x_axis(), self.y_axis());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
        );
        text(&mut svg, (WIDTH / 2.0, 22.0), "middle", "black", &self.title);
        text(&mut svg, (WIDTH / 2.0, HEIGHT - 10.0), "middle", "black", &self.x);
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {y})\">{}</text>",
            escaped(&self.y),
            y = HEIGHT / 2.0
        );
        for tick in xs.ticks() {
            let x = LEFT + xs.place(tick) * INNER_WIDTH;
            line(&mut svg, (x, TOP), (x, TOP + INNER_HEIGHT));
            text(&mut svg, (x, TOP + INNER_HEIGHT + 18.0), "middle", "#444", &number(tick));
        }
        for tick in ys.ticks() {
            let y = TOP + (1.0 - ys.place(tick)) * INNER_HEIGHT;
            line(&mut svg, (LEFT, y), (LEFT + INNER_WIDTH, y));
            text(&mut svg, (LEFT - 6.0, y + 4.0), "end", "#444", &number(tick));
        }
        for (index, (name, points)) in self.lines.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            let places: Vec<(f64, f64)> = points
                .iter()
                .map(|&(x, y)| (LEFT + xs.place(x) * INNER_WIDTH, TOP + (1.0 - ys.place(y)) * INNER_HEIGHT))
                .collect();
            let path: String = places.iter().fold(String::new(), |path, (x, y)| format!("{path}{x:.1},{y:.1} "));
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
                path.trim_end()
            );
            for (x, y) in places {
                let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
            }
            text(&mut svg, (LEFT + 10.0, TOP + 18.0 + 17.0 * index as f64), "start", color, name);
        }
        svg + "</svg>\n"
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|(_, points)| points.iter().copied())
    }

    fn x_axis(&self) -> Axis {
        Axis::log(self.points().map(|(x, _)| x))
    }

    fn y_axis(&self) -> Axis {
        let values = self.points().map(|(_, y)| y);
        if self.log_y { Axis::log(values) } else { Axis::from_zero(values) }
    }
}

/// The range of an axis, in powers of ten if it is logarithmic.
struct Axis {
    log: bool,
    from: f64,
    to: f64,
    step: f64,
}

impl Axis {
    fn log(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
        let from = low.max(f64::MIN_POSITIVE).log10().floor();
        Self { log: true, from, to: high.log10().ceil().max(from + 1.0), step: 1.0 }
    }

    fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        // Room for the names of the lines.
        let high = values.fold(f64::MIN_POSITIVE, f64::max) * 1.3;
        let power = 10f64.powf((high / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| high / step <= 6.0);
        let step = step.unwrap_or(power);
        Self { log: false, from: 0.0, to: (high / step).ceil() * step, step }
    }

    /// Between 0 and 1.
    fn place(&self, value: f64) -> f64 {
        let value = if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        (value - self.from) / (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let count = ((self.to - self.from) / self.step).round() as usize;
        let ticks = (0..=count).map(|index| self.from + self.step * index as f64);
        ticks.map(|tick| if self.log { 10f64.powf(tick) } else { tick }).collect()
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, color: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>");
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\" stroke-width=\"1\"/>"
    );
}

/// As short as it can be said.
fn number(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e4 => format!("{} k", v / 1e3),
        v => format!("{}", (v * 1e6).round() / 1e6),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 74.0;
const TOP: f64 = 36.0;
const INNER_WIDTH: f64 = WIDTH - LEFT - 24.0;
const INNER_HEIGHT: f64 = HEIGHT - TOP - 58.0;

/// Told apart by people who see red and green alike.
const COLORS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_within_the_axes() {
        for log_y in [false, true] {
            let points = vec![(1.0, 0.3), (10.0, 5.0), (100_000.0, 7.2)];
            let lines = vec![("a < b & c".to_owned(), points)];
            let chart = Chart { title: String::new(), x: String::new(), y: String::new(), log_y, lines };
            for (x, y) in chart.points() {
                assert!((0.0..=1.0).contains(&chart.x_axis().place(x)));
                assert!((0.0..=1.0).contains(&chart.y_axis().place(y)));
            }
            let svg = chart.svg();
            assert!(svg.contains("a &lt; b &amp; c") && svg.matches("<circle").count() == 3, "{svg}");
        }
    }
}
