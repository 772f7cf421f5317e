//! When it is, and until when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portway_plugin::{Problem, value::UtcOffset};

use super::{Hours, Weekday};

const DAY: i64 = 24 * 60 * 60;

/// Hours, prepared. Times are in seconds of the local clock.
#[derive(Debug)]
pub(super) struct Schedule {
    offset: i64,
    spans: Box<[Span]>,
}

#[derive(Debug)]
struct Span {
    /// From the beginning of the day it begins on.
    from: i64,
    /// From the same, so later than `from`.
    to: i64,
    /// The days it begins on, from Monday on.
    days: [bool; 7],
}

impl Schedule {
    /// `None` for one that never ends.
    pub(super) fn new(hours: &[Hours], offset: UtcOffset) -> Result<Option<Self>, Problem> {
        let spans: Result<Box<[Span]>, Problem> =
            hours.iter().enumerate().map(|(at, hours)| Span::new(hours, at)).collect();
        let spans = spans?;
        let offset = i64::from(offset.seconds());
        Ok((!spans.is_empty()).then_some(Self { offset, spans }))
    }

    /// How long it goes on. `None` when it is not now.
    pub(super) fn remaining(&self, now: SystemTime) -> Option<Duration> {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let local = i64::try_from(since.as_secs()).unwrap_or(0) + self.offset;
        let end = self.end(local)?;
        let left = u64::try_from(end - local).unwrap_or(0);
        // The second that has begun is not over.
        Some(
            Duration::from_secs(left)
                .saturating_sub(Duration::from_nanos(since.subsec_nanos().into())),
        )
    }

    /// When the hours that are now end, and those that follow without a break. Hours that cover
    /// the whole week have no end: two weeks are looked at.
    fn end(&self, local: i64) -> Option<i64> {
        let mut end = None;
        let mut at = local;
        while let Some(next) = self.spans.iter().filter_map(|span| span.end(at)).max() {
            end = Some(next);
            at = next;
            if at - local > 14 * DAY {
                break;
            }
        }
        end
    }
}

impl Span {
    fn new(hours: &Hours, at: usize) -> Result<Self, Problem> {
        let (from, to) = (i64::from(hours.from.seconds()), i64::from(hours.to.seconds()));
        if from == DAY || from == to {
            let message = format!("from {} to {} is no time at all", hours.from, hours.to);
            let problem = Problem::new("bad_value", message).at(format!("hours[{at}]"));
            return Err(problem.hint("write from: \"00:00\", to: \"24:00\" for a whole day"));
        }
        let mut days = [hours.days.is_empty(); 7];
        for day in &hours.days {
            days[number(*day)] = true;
        }
        Ok(Self { from, to: if to > from { to } else { to + DAY }, days })
    }

    /// When it ends, if it is at this time.
    fn end(&self, local: i64) -> Option<i64> {
        let today = local.div_euclid(DAY);
        // What began yesterday may go on. Of two that overlap, today's ends later.
        [today, today - 1].into_iter().find_map(|day| {
            // The first of January 1970 was a Thursday.
            let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
            let begin = day * DAY;
            let is_now = (begin + self.from..begin + self.to).contains(&local);
            (self.days[weekday] && is_now).then_some(begin + self.to)
        })
    }
}

fn number(day: Weekday) -> usize {
    match day {
        Weekday::Mon => 0,
        Weekday::Tue => 1,
        Weekday::Wed => 2,
        Weekday::Thu => 3,
        Weekday::Fri => 4,
        Weekday::Sat => 5,
        Weekday::Sun => 6,
    }
}
