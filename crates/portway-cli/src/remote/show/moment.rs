//! Times and amounts, short.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// How long ago an RFC 3339 time in UTC was: `5m`, `3d`. Another text stays as it is.
pub(crate) fn ago(time: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match seconds(time) {
        Some(then) => span(now.saturating_sub(Duration::from_secs(then))),
        None => super::clean(time),
    }
}

/// `45s`, `12m`, `5h`, `3d`.
pub(crate) fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The seconds since 1970 of `2026-11-21T16:51:04Z`, whatever fraction it has.
fn seconds(time: &str) -> Option<u64> {
    let bytes = time.as_bytes();
    let rest = time.get(19..)?;
    let fraction = rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00"))?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let fits = separators.iter().all(|(at, byte)| bytes.get(*at) == Some(byte));
    if !fits || !fraction.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // A year begins with March here, so that the leap day is its last.
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = (shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year)
        .checked_sub(719_468)?;
    Some(days * 86_400 + number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?)
}

/// `512 B`, `1.5 KiB`.
pub(crate) fn bytes(count: &Value) -> String {
    let Some(mut amount) = count.as_f64() else { return String::new() };
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return if unit == "B" { format!("{amount} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (time, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-21T16:51:04.123Z", Some(1_795_279_864)),
            ("2026-11-21T16:51:04+00:00", Some(1_795_279_864)),
            ("2026-11-21T16:51:04+01:00", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(seconds(time), expected, "{time}");
        }
        assert_eq!(ago("soon"), "soon");
        assert_eq!(span(Duration::from_secs(7_300)), "2h");
        assert_eq!(bytes(&1536.into()), "1.5 KiB");
        assert_eq!(bytes(&12.into()), "12 B");
    }
}
