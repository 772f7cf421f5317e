//! Wall-clock time as text: RFC 3339, UTC, milliseconds.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// The last second a four-digit year has.
const LAST_SECOND: u64 = 253_402_300_799;

/// Writes times. Within one second only the milliseconds change, so the rest is kept.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    second: u64,
    /// `2026-11-21T04:19:32.`
    text: [u8; 20],
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00." }
    }

    /// Appends a time. What is before 1970 or after 9999 becomes the nearest time that can be
    /// written.
    #[inline]
    pub(crate) fn push(&mut self, time: SystemTime, out: &mut Vec<u8>) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = since.as_secs().min(LAST_SECOND);
        if second != self.second {
            self.second = second;
            self.text = text_of(second);
        }
        let milli = since.subsec_millis();
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&[digit(milli / 100), digit(milli / 10), digit(milli), b'Z']);
    }
}

/// How long one look at the wall clock is good for: a step of it is followed as late as that.
const LOOK: Duration = Duration::from_secs(1);

/// What the wall clock says at an instant, looked up once a second. One for each core.
#[derive(Debug, Default)]
pub(crate) struct WallClock(Mutex<Option<(Instant, SystemTime)>>);

impl WallClock {
    /// The time at `now`, which is not long ago.
    pub(crate) fn at(&self, now: Instant) -> SystemTime {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, time) = match *looked {
            Some(known) if now.saturating_duration_since(known.0) < LOOK => known,
            _ => *looked.insert((now, SystemTime::now())),
        };
        time + now.saturating_duration_since(then)
    }
}

/// A time as text, as RFC 3339 writes it.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let mut text = Vec::with_capacity(24);
    Clock::new().push(time, &mut text);
    text.into_iter().map(char::from).collect()
}

#[cold]
fn text_of(second: u64) -> [u8; 20] {
    let (year, month, day) = date(second / 86_400);
    let of_day = second % 86_400;
    let mut text = *b"0000-00-00T00:00:00.";
    text[..2].copy_from_slice(&two_digits(year / 100));
    for (at, number) in [
        (2, year % 100),
        (5, month),
        (8, day),
        (11, of_day / 3600),
        (14, of_day / 60 % 60),
        (17, of_day % 60),
    ] {
        text[at..at + 2].copy_from_slice(&two_digits(number));
    }
    text
}

/// The date of a day, counted from 1970-01-01. Years are counted from March, so that the day
/// that leap years have more is the last one of a year.
fn date(day: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const DAYS_BEFORE_1970: u64 = 719_468;
    let day = day + DAYS_BEFORE_1970;
    let (era, day) = (day / DAYS_OF_400_YEARS, day % DAYS_OF_400_YEARS);
    // Leap days before this day: one each 4 years, none each 100, one each 400.
    let leap_days = day / 1460 - day / 36_524 + day / 146_096;
    let year = (day - leap_days) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // From March on, five months have 153 days: 31, 30, 31, 30, 31.
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day_of_month)
}

fn two_digits(number: u64) -> [u8; 2] {
    let [.., low] = number.to_be_bytes();
    [b'0' + low / 10 % 10, b'0' + low % 10]
}

/// The last digit of a number.
fn digit(number: u32) -> u8 {
    let [.., low] = (number % 10).to_be_bytes();
    b'0' + low
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_709_251_199_050, "2024-02-29T23:59:59.050Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_735_689_599_900, "2024-12-31T23:59:59.900Z"),
            (1_795_234_772_123, "2026-11-21T04:19:32.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
            (999_999_999_999_000, "9999-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(millis)), text);
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn every_day_follows_the_day_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for number in 0..200_000 {
            assert_eq!(date(number), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn the_kept_second_is_not_used_for_another() {
        let mut clock = Clock::new();
        let mut out = Vec::new();
        for millis in [1_500, 1_501, 2_000, 1_999] {
            clock.push(UNIX_EPOCH + Duration::from_millis(millis), &mut out);
        }
        let expected = "1970-01-01T00:00:01.500Z1970-01-01T00:00:01.501Z\
                        1970-01-01T00:00:02.000Z1970-01-01T00:00:01.999Z";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
