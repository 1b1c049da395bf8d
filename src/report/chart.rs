//! The failover chart as SVG: who is up, who takes the mail, what waits, over one axis of time.
//!
//! Nothing is told by colour alone: series carry letters, an outage is hatched and named. Colours are those of Okabe and Ito, which people
//! with colour-blindness tell apart. Text is sized by estimate (there are no fonts here), so margins are wide; the same run gives the same
//! bytes. Points are bounded by `analysis::timeline`.

mod plots;
mod rows;

use super::words::{Clock, count, fit};
use crate::analysis::failover::failovers;
use crate::analysis::outcome::{Kind, Outcome};
use crate::analysis::timeline::{Arrivals, Waiting, arrivals, host_rows, waiting};
use crate::base::{DAY, HOUR, MINUTE, SECOND, SimTime};
use plots::{draw_arrivals, draw_waiting};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rows::draw_rows;
use std::fmt::Display;

const WIDTH: u32 = 1200;
/// Room left of the plots for names and numbers, and right of them for the legend.
const LEFT: u32 = 150;
const RIGHT: u32 = 230;
const NUMBERS_WIDTH: u32 = 70;
const TITLE_HEIGHT: u32 = 62;
const HEADING_HEIGHT: u32 = 26;
const ROW_HEIGHT: u32 = 26;
const ARRIVALS_HEIGHT: u32 = 320;
const WAITING_HEIGHT: u32 = 260;
const AXIS_HEIGHT: u32 = 45;
const SLICES_MAX: u64 = 125;
/// A step is two points of a line, and a series has at most 2000.
const STEPS_MAX: usize = 990;
/// More moments of failover than this would hide what they mark.
const MARKS_MAX: usize = 40;

const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(240, 228, 66),
    RGBColor(60, 60, 60),
];
const OTHERS: RGBColor = RGBColor(153, 153, 153);

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
#[error("the chart could not be drawn: {0}")]
pub struct ChartError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ChartError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Three panels over one axis of time: machines up and down, arrivals per last host, messages waiting per system.
///
/// # Errors
/// What the drawing library refuses.
pub fn failover_svg(outcome: &Outcome, clock: Clock) -> Result<String, ChartError> {
    let (rows, taken, queues) = (host_rows(outcome), arrivals(outcome, SLICES_MAX), waiting(outcome, STEPS_MAX));
    let axis = Axis::new(outcome.ended_at, clock);
    let key = Key::new(&taken, &queues);
    let gantt_height = HEADING_HEIGHT + ROW_HEIGHT * rows.len().max(1) as u32 + 12;
    let height = TITLE_HEIGHT + gantt_height + ARRIVALS_HEIGHT + WAITING_HEIGHT;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        title(&root, outcome)?;
        let (_, below_title) = root.split_vertically(TITLE_HEIGHT);
        let (gantt, below_gantt) = below_title.split_vertically(gantt_height);
        let (upper, lower) = below_gantt.split_vertically(ARRIVALS_HEIGHT);
        draw_rows(&gantt, &rows, &axis)?;
        draw_arrivals(&upper, &taken, &axis, &key)?;
        draw_waiting(&lower, &queues, &axis, &key)?;
        let plot = |top: u32, height: u32| ((top + HEADING_HEIGHT) as i32, (top + height - AXIS_HEIGHT) as i32);
        let below_rows = TITLE_HEIGHT + gantt_height;
        let rows = ((TITLE_HEIGHT + HEADING_HEIGHT) as i32, below_rows as i32 - 12);
        let plots = [rows, plot(below_rows, ARRIVALS_HEIGHT), plot(below_rows + ARRIVALS_HEIGHT, WAITING_HEIGHT)];
        draw_marks(&root, outcome, &axis, plots)?;
        root.present()?;
    }
    Ok(svg)
}

/// The shared axis of time.
struct Axis {
    end_ns: u64,
    unit_ns: u64,
    title: String,
}

impl Axis {
    fn new(end: SimTime, clock: Clock) -> Self {
        let end_ns = end.0.max(SECOND);
        let (unit_ns, unit) = match end_ns {
            ns if ns <= 3 * MINUTE => (SECOND, "seconds"),
            ns if ns <= 6 * HOUR => (MINUTE, "minutes"),
            ns if ns <= 4 * DAY => (HOUR, "hours"),
            _ => (DAY, "days"),
        };
        let since = clock.start.map_or("since the start".to_owned(), |_| format!("since {} UTC", clock.moment(SimTime::ZERO)));
        Self { end_ns, unit_ns, title: format!("time {since} ({unit})") }
    }

    fn units(&self, ns: u64) -> f64 {
        ns.min(self.end_ns) as f64 / self.unit_ns as f64
    }

    /// The same place in pixels of the whole picture.
    fn pixel(&self, at: SimTime) -> i32 {
        let width = u128::from(WIDTH - LEFT - RIGHT);
        LEFT as i32 + (u128::from(at.0.min(self.end_ns)) * width / u128::from(self.end_ns)) as i32
    }
}

/// One colour and one letter per name, in all panels.
struct Key(Vec<String>);

impl Key {
    fn new(taken: &Arrivals, queues: &[Waiting]) -> Self {
        let mut names: Vec<String> = vec![];
        for name in taken.routes.iter().map(|(name, _)| &**name).chain(queues.iter().map(|(name, _)| &**name)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Self(names)
    }

    fn of(&self, name: &str) -> (RGBColor, char) {
        let at = self.0.iter().position(|known| known == name).unwrap_or(0);
        let color = if name == "others" { OTHERS } else { PALETTE[at % PALETTE.len()] };
        (color, char::from(b'A' + (at % 26) as u8))
    }
}

/// What may stand in XML and in one line.
fn safe(text: &str, width: usize) -> String {
    fit(text, width).replace(|c: char| (c as u32) & 0xfffe == 0xfffe, "\u{fffd}")
}

fn style(size: u32, horizontal: HPos, vertical: VPos, color: RGBColor) -> TextStyle<'static> {
    TextStyle { font: ("sans-serif", size).into_font(), color: color.to_backend_color(), pos: Pos::new(horizontal, vertical) }
}

fn write(area: &Area<'_>, text: &str, style: &TextStyle<'_>, at: (i32, i32)) -> Result<(), ChartError> {
    Ok(area.draw_text(text, style, at)?)
}

fn title(root: &Area<'_>, outcome: &Outcome) -> Result<(), ChartError> {
    let mail = outcome.messages.iter().filter(|message| message.kind == Kind::Mail).count() as u64;
    let moved = failovers(outcome).len() as u64;
    let facts = format!("seed {}, {}, {}", outcome.seed, count(mail, "message"), count(moved, "failover"));
    write(root, &safe(&outcome.scenario, 110), &style(24, HPos::Left, VPos::Top, BLACK), (16, 10))?;
    let facts = if outcome.what_if.is_empty() { facts } else { format!("{facts}, with {}", outcome.what_if) };
    write(root, &safe(&facts, 100), &style(16, HPos::Left, VPos::Top, BLACK), (16, 38))
}

fn heading(area: &Area<'_>, text: &str) -> Result<(), ChartError> {
    write(area, text, &style(17, HPos::Left, VPos::Top, BLACK), (LEFT as i32, 6))
}

fn legend<'a>(area: &Area<'_>, key: &Key, rows: impl Iterator<Item = (&'a str, impl Display)>) -> Result<(), ChartError> {
    let left = (WIDTH - RIGHT) as i32 + 14;
    let mut empty = true;
    for (at, (name, note)) in rows.enumerate() {
        let (color, letter) = key.of(name);
        let middle = HEADING_HEIGHT as i32 + 10 + at as i32 * 24;
        area.draw(&Rectangle::new([(left, middle - 7), (left + 14, middle + 7)], color.filled()))?;
        let text = format!("{letter}  {}: {note}", safe(name, 18));
        write(area, &text, &style(15, HPos::Left, VPos::Center, BLACK), (left + 20, middle))?;
        empty = false;
    }
    if empty {
        write(area, "nothing", &style(15, HPos::Left, VPos::Center, BLACK), (left, HEADING_HEIGHT as i32 + 10))?;
    }
    Ok(())
}

/// Through all panels: a solid line where traffic moves away, a broken one where it comes back.
fn draw_marks(root: &Area<'_>, outcome: &Outcome, axis: &Axis, panels: [(i32, i32); 3]) -> Result<(), ChartError> {
    let found = failovers(outcome);
    let (left, y) = ((WIDTH - RIGHT) as i32 + 14, TITLE_HEIGHT as i32 - 34);
    let text = style(15, HPos::Left, VPos::Center, BLACK);
    if found.len() > MARKS_MAX {
        return write(root, "too many failovers to mark", &text, (left, y));
    }
    for failover in &found {
        let away = failover.to.first().map_or(failover.missed_at, |taker| taker.taken_at);
        for panel in panels {
            vertical(root, axis.pixel(away), panel, None)?;
            if let Some(back) = failover.back_at {
                vertical(root, axis.pixel(back), panel, Some(12))?;
            }
        }
    }
    if !found.is_empty() {
        vertical(root, left + 6, (y - 8, y + 8), None)?;
        write(root, "traffic moves away", &text, (left + 20, y))?;
        vertical(root, left + 6, (y + 12, y + 28), Some(6))?;
        write(root, "and comes back", &text, (left + 20, y + 20))?;
    }
    Ok(())
}

fn vertical(root: &Area<'_>, x: i32, (top, bottom): (i32, i32), broken: Option<i32>) -> Result<(), ChartError> {
    let step = broken.unwrap_or(bottom - top);
    let stroke = if broken.is_some() { step / 2 } else { step };
    for y in (top..bottom).step_by(step.max(1) as usize) {
        root.draw(&PathElement::new([(x, y), (x, (y + stroke).min(bottom))], BLACK.stroke_width(1)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    #[test]
    fn the_same_bytes_twice() {
        let draw = || failover_svg(&fixture::two_sites(), Clock::default()).unwrap();
        let svg = draw();
        assert_eq!(svg, draw());
        for text in
            ["Two sites", "down: site A dark", "time since the start (minutes)", "recipients per 1m", "A  site-a: 2", "C  eop: at most 1"]
        {
            assert!(svg.contains(&format!("\n{text}\n")), "{text}\n{svg}");
        }
    }

    #[test]
    fn an_empty_run_has_a_chart_too() {
        let mut outcome = fixture::two_sites();
        (outcome.messages, outcome.hosts, outcome.faults, outcome.ended_at) = (vec![], vec![], vec![], SimTime::ZERO);
        let svg = failover_svg(&outcome, Clock::default()).unwrap();
        assert!(svg.contains("seed 42, 0 messages, 0 failovers") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut outcome = fixture::two_sites();
        outcome.scenario = "<script>alert(1)</script>&\u{1b}[31m\u{202e}\u{ffff}\u{0}".into();
        outcome.faults[0].name = "</text>]]>\"'".into();
        let svg = failover_svg(&outcome, Clock::default()).unwrap();
        assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{1b}[31m\\u{202e}\u{fffd}\\u{0}"), "{svg}");
        assert!(svg.contains("down: &lt;/text&gt;]]&gt;&quot;&apos;"), "{svg}");
        assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn large_runs_stay_small() {
        let mut outcome = fixture::two_sites();
        let second = |n: u64| SimTime(n * SECOND);
        outcome.ended_at = second(30 * 86_400);
        outcome.hosts[2].down = (0..20_000).map(|n| (second(n * 100), second(n * 100 + 9))).collect();
        outcome.hosts[3].queued = (0..100_000).map(|n| (second(n * 20), n as u32 % 50)).collect();
        outcome.messages = (0..2_000).map(|n| fixture::delivered(n, second(u64::from(n) * 1_000), n % 3 == 0)).collect();
        let svg = failover_svg(&outcome, Clock::default()).unwrap();
        let points = svg.lines().filter(|line| line.contains("<polyline")).map(|line| line.matches(',').count()).max();
        assert!(points.unwrap() <= 2_000, "{points:?}");
        assert!(svg.len() < 1_000_000, "{}", svg.len());
    }
}
