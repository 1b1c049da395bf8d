//! Who is up: the upper panel of the failover chart.
//!
//! An outage is a hatched box with the name of its fault, any other fault a line under the bar of the machine that it strikes.

use super::{Area, Axis, ChartError, HEADING_HEIGHT, LEFT, PALETTE, RIGHT, ROW_HEIGHT, WIDTH, heading, safe, style, write};
use crate::analysis::timeline::{Row, Span};
use crate::base::InOrder;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

const UP: RGBColor = RGBColor(190, 215, 225);
/// More names than this would hide the row that they stand in.
const NAMED_MAX: usize = 6;

/// The panel: a bar per machine, hatched where it is down, underlined where another fault strikes.
pub(super) fn draw_rows(area: &Area<'_>, rows: &[Row], axis: &Axis) -> Result<(), ChartError> {
    heading(area, "Who is up")?;
    let right = (WIDTH - RIGHT) as i32;
    for (at, row) in rows.iter().enumerate() {
        let top = (HEADING_HEIGHT + ROW_HEIGHT * at as u32) as i32 + 4;
        let bottom = top + ROW_HEIGHT as i32 - 9;
        let name = style(16, HPos::Right, VPos::Center, BLACK);
        write(area, &safe(&row.name, 18), &name, (LEFT as i32 - 8, (top + bottom) / 2))?;
        area.draw(&Rectangle::new([(LEFT as i32, top), (right, bottom)], UP.filled()))?;
        for (left, right) in merged(&row.down, axis) {
            hatch(area, [(left, top), (right, bottom)])?;
        }
        for (left, right) in merged(&row.struck, axis) {
            area.draw(&Rectangle::new([(left, bottom - 5), (right, bottom)], PALETTE[5].filled()))?;
        }
        row_labels(area, row, axis, (top + bottom) / 2)?;
    }
    let legend = (right + 14, HEADING_HEIGHT as i32 + 4);
    area.draw(&Rectangle::new([legend, (legend.0 + 26, legend.1 + 12)], UP.filled()))?;
    write(area, "up", &style(15, HPos::Left, VPos::Center, BLACK), (legend.0 + 34, legend.1 + 6))?;
    if rows.len() > 1 {
        hatch(area, [(legend.0 + 62, legend.1), (legend.0 + 88, legend.1 + 12)])?;
        write(area, "down", &style(15, HPos::Left, VPos::Center, BLACK), (legend.0 + 96, legend.1 + 6))?;
        let (x, y) = (legend.0, legend.1 + ROW_HEIGHT as i32);
        area.draw(&Rectangle::new([(x, y + 4), (x + 26, y + 9)], PALETTE[5].filled()))?;
        write(area, "another fault", &style(15, HPos::Left, VPos::Center, BLACK), (x + 34, y + 6))?;
    }
    Ok(())
}

/// The spans in pixels; those that touch are one, so there are never more than the picture is wide.
fn merged(spans: &[Span], axis: &Axis) -> Vec<(i32, i32)> {
    let mut found: Vec<(i32, i32)> =
        spans.iter().map(|span| (axis.pixel(span.from), axis.pixel(span.until).max(axis.pixel(span.from) + 1))).collect();
    found.sort_unstable();
    found.into_iter().fold(vec![], |mut done: Vec<(i32, i32)>, (left, right)| {
        match done.last_mut() {
            Some(last) if left <= last.1 => last.1 = last.1.max(right),
            Some(_) | None => done.push((left, right)),
        }
        done
    })
}

/// An outlined box with slanted strokes.
fn hatch(area: &Area<'_>, [(left, top), (right, bottom)]: [(i32, i32); 2]) -> Result<(), ChartError> {
    area.draw(&Rectangle::new([(left, top), (right, bottom)], WHITE.filled()))?;
    area.draw(&Rectangle::new([(left, top), (right, bottom)], BLACK.stroke_width(1)))?;
    let height = bottom - top;
    for foot in (left - height..right).step_by(7).filter(|foot| foot + height > left) {
        let (below, above) = ((left - foot).max(0), (right - foot).min(height));
        let stroke = [(foot + below, bottom - below), (foot + above, bottom - above)];
        area.draw(&PathElement::new(stroke, BLACK.stroke_width(1)))?;
    }
    Ok(())
}

/// The names of what struck, where there is room for them.
fn row_labels(area: &Area<'_>, row: &Row, axis: &Axis, middle: i32) -> Result<(), ChartError> {
    let down = |span: &Span| if span.name.is_empty() { "down".to_owned() } else { format!("down: {}", span.name) };
    let at = |span: &Span| (axis.pixel(span.from), axis.pixel(span.until));
    let mut labels: Vec<((i32, i32), String)> = match row.down.first() {
        Some(first) if row.down.len() > NAMED_MAX => vec![(at(first), format!("down {} times", row.down.len()))],
        Some(_) | None => row.down.iter().map(|span| (at(span), down(span))).collect(),
    };
    labels.extend(row.struck.iter().take(NAMED_MAX).map(|span| (at(span), span.name.to_string())));
    labels.in_order();
    let mut free = LEFT as i32;
    for ((left, ends), text) in labels {
        let text = safe(&text, 40);
        let width = text.chars().count() as i32 * 7 + 8;
        let left = left.min((WIDTH - RIGHT) as i32 - width) + 3;
        if left >= free {
            // White on the hatching, and no farther: behind an outage the machine is up, and looks so.
            let (white, up) = ((left + width).min(ends), left + width);
            if white < up {
                area.draw(&Rectangle::new([(white.max(left), middle - 7), (up, middle + 7)], UP.filled()))?;
            }
            if left < white {
                area.draw(&Rectangle::new([(left, middle - 7), (white, middle + 7)], WHITE.filled()))?;
            }
            write(area, &text, &style(14, HPos::Left, VPos::Center, BLACK), (left + 4, middle))?;
            free = left + width + 3;
        }
    }
    Ok(())
}
