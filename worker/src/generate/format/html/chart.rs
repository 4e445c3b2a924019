//! Line charts as inline SVG; colours come from the page's style, so that they follow light and dark.

use std::fmt::Write as _;

use super::axis::Axis;
use super::escape;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

/// One line and its name in the legend.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The style's class, which is a colour.
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart with its legend.
pub(super) struct Chart {
    /// For those who cannot see it.
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) x_name: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
}

impl Chart {
    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        let written = self.figure(&mut out);
        debug_assert!(written.is_ok(), "a text takes every letter");
        out
    }

    fn figure(&self, out: &mut String) -> std::fmt::Result {
        write!(out, "<figure><figcaption>")?;
        for line in &self.lines {
            write!(out, "<span class=\"{}\"><i></i><em>{}</em></span>", line.class, escape(line.name))?;
        }
        write!(out, "<span>{}</span></figcaption>", escape(self.unit))?;
        let title = escape(self.title);
        write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>"
        )?;
        self.marks(out)?;
        for line in &self.lines {
            self.line(out, line)?;
        }
        writeln!(out, "</svg></figure>")
    }

    fn marks(&self, out: &mut String) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, name) in &self.y.ticks {
            let y = self.y_of(*value);
            write!(out, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>")?;
            write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                escape(name)
            )?;
        }
        for (value, name) in &self.x.ticks {
            let x = self.x_of(*value);
            write!(out, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>")?;
            write!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 17.0,
                escape(name)
            )?;
        }
        write!(out, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/>")?;
        let middle = f64::midpoint(LEFT, right);
        let name = escape(self.x_name);
        write!(out, "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>", HEIGHT - 5.0)
    }

    fn line(&self, out: &mut String, line: &Line) -> std::fmt::Result {
        let places = line.points.iter().map(|(x, y)| (self.x_of(*x), self.y_of(*y)));
        if let [(x, y)] = line.points.as_slice() {
            let (x, y) = (self.x_of(*x), self.y_of(*y));
            return write!(out, "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>", line.class);
        }
        write!(out, "<polyline class=\"{}\" points=\"", line.class)?;
        for (x, y) in places {
            write!(out, "{x:.1},{y:.1} ")?;
        }
        write!(out, "\"/>")
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, value: f64) -> f64 {
        TOP + (1.0 - self.y.place(value)) * (HEIGHT - TOP - BOTTOM)
    }
}
