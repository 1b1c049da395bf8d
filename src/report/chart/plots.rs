//! Who takes the mail and what waits: the two plots of the failover chart.

use super::{AXIS_HEIGHT, Area, Axis, ChartError, HEADING_HEIGHT, Key, LEFT, NUMBERS_WIDTH, RIGHT, heading, legend, style};
use crate::analysis::timeline::{Arrivals, Waiting};
use crate::base::SimTime;
use crate::report::words::duration;
use plotters::coord::types::{RangedCoordf64, RangedCoordu64};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

const GRID: RGBColor = RGBColor(225, 225, 225);
/// The room that a letter takes, and how many stand beside each other at most.
const FLAG_WIDTH: i32 = 14;
const FLAG_HEIGHT: i32 = 16;
const FLAGS_BESIDE: i32 = 12;

/// The plane of both plots: time, and a whole number.
type Plane = Cartesian2d<RangedCoordf64, RangedCoordu64>;

/// An empty plot with axes; `$top` is the upper end of the numbers.
macro_rules! plot {
    ($area:expr, $axis:expr, $top:expr, $unit:expr) => {{
        let mut chart = ChartBuilder::on($area)
            .margin_top(HEADING_HEIGHT)
            .margin_left(LEFT - NUMBERS_WIDTH)
            .margin_right(RIGHT)
            .set_label_area_size(LabelAreaPosition::Left, NUMBERS_WIDTH)
            .set_label_area_size(LabelAreaPosition::Bottom, AXIS_HEIGHT)
            .build_cartesian_2d(0f64..$axis.units(u64::MAX), 0u64..$top)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(BLACK)
            .label_style(style(15, HPos::Left, VPos::Top, BLACK))
            .x_labels(13)
            .y_labels(6)
            .x_label_formatter(&number)
            .x_desc(&*$axis.title)
            .y_desc($unit)
            .draw()?;
        chart
    }};
}

/// A number of units without needless zeros.
fn number(value: &f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Upper end of an axis that shows `highest` with some air.
fn top_of(highest: u64) -> u64 {
    highest + highest / 12 + 1
}

/// The panel of arrivals: slices of time, stacked by the last host.
pub(super) fn draw_arrivals(area: &Area<'_>, taken: &Arrivals, axis: &Axis, key: &Key) -> Result<(), ChartError> {
    let slice = duration(taken.slice_ns);
    heading(area, &format!("Who takes the mail (recipients per {slice}, by the last host)"))?;
    let slices = taken.routes.first().map_or(0, |(_, counts)| counts.len());
    let mut stacks: Vec<u64> = vec![0; slices];
    let highest = (0..slices).map(|at| taken.routes.iter().map(|(_, counts)| counts[at]).sum()).max().unwrap_or(0);
    let mut chart = plot!(area, axis, top_of(highest), format!("recipients per {slice}"));
    let mut letters = vec![];
    for (name, counts) in &taken.routes {
        let (color, letter) = key.of(name);
        let tallest = (0..slices).max_by_key(|at| (counts[*at], std::cmp::Reverse(*at)));
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (from, until) = (at as u64 * taken.slice_ns, (at as u64 + 1) * taken.slice_ns);
            let corners = [(axis.units(from), stacks[at]), (axis.units(until), stacks[at] + count)];
            chart.draw_series([Rectangle::new(corners, color.filled())])?;
            if tallest == Some(at) {
                letters.push((axis.units((from + until) / 2), stacks[at] + count, letter));
            }
            stacks[at] += count;
        }
    }
    draw_letters(&mut chart, letters)?;
    let sums = taken.routes.iter().map(|(name, counts)| (&**name, counts.iter().sum::<u64>().to_string()));
    legend(area, key, sums)
}

/// Letters on white, at the upper end of what they name.
fn draw_letters(chart: &mut ChartContext<'_, SVGBackend<'_>, Plane>, letters: Vec<(f64, u64, char)>) -> Result<(), ChartError> {
    let mut placed: Vec<(i32, i32)> = Vec::new();
    for (x, y, letter) in letters {
        let (left, top) = chart.backend_coord(&(x, y));
        // Beside those that stand there already.
        let beside =
            |dx: &i32| placed.iter().all(|(other, height)| (left + dx - other).abs() >= FLAG_WIDTH || (top - height).abs() >= FLAG_HEIGHT);
        let steps = (0..=FLAGS_BESIDE).flat_map(|n| [n * FLAG_WIDTH, -n * FLAG_WIDTH]);
        let dx = steps.into_iter().find(beside).unwrap_or(0);
        placed.push((left + dx, top));
        let text = style(14, HPos::Center, VPos::Center, BLACK);
        let flag = EmptyElement::at((x, y))
            + Rectangle::new([(dx - 6, -7), (dx + 6, 7)], WHITE.filled())
            + Rectangle::new([(dx - 6, -7), (dx + 6, 7)], BLACK.stroke_width(1))
            + Text::new(letter.to_string(), (dx, 0), text);
        chart.draw_series([flag])?;
    }
    Ok(())
}

/// The panel of queues: a line of steps per system.
pub(super) fn draw_waiting(area: &Area<'_>, queues: &[Waiting], axis: &Axis, key: &Key) -> Result<(), ChartError> {
    heading(area, "What waits (messages in the queues of a system)")?;
    let peak = |steps: &[(SimTime, u32)]| steps.iter().max_by_key(|(at, number)| (*number, std::cmp::Reverse(*at))).copied();
    let highest = queues.iter().filter_map(|(_, steps)| peak(steps)).map(|(_, number)| u64::from(number)).max().unwrap_or(0);
    let mut chart = plot!(area, axis, top_of(highest), "messages waiting");
    let mut letters = vec![];
    for (name, steps) in queues {
        let (color, letter) = key.of(name);
        let mut line = vec![(0.0, 0)];
        for (at, number) in steps {
            let before = line[line.len() - 1].1;
            line.extend([(axis.units(at.0), before), (axis.units(at.0), u64::from(*number))]);
        }
        line.push((axis.units(u64::MAX), line[line.len() - 1].1));
        chart.draw_series(LineSeries::new(line, color.stroke_width(2)))?;
        letters.extend(peak(steps).map(|(at, number)| (axis.units(at.0), u64::from(number), letter)));
    }
    draw_letters(&mut chart, letters)?;
    let peaks = queues.iter().map(|(name, steps)| (&**name, format!("at most {}", peak(steps).map_or(0, |(_, number)| number))));
    legend(area, key, peaks)
}
