//! Which bytes are asked for (RFC 9110 section 14).

use std::ops::RangeInclusive;

use http::{HeaderMap, HeaderValue, header};

/// More ranges than this are a mistake or an attack: the whole file is sent instead, which
/// RFC 9110 section 14.2 allows.
const MOST: usize = 64;

/// One range as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spec {
    /// From the first byte to the last one, both counted from 0. `u64::MAX` is the end.
    Between(u64, u64),
    /// The last bytes, so many.
    Last(u64),
}

/// What is to be sent of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    One(RangeInclusive<u64>),
    Several(Vec<RangeInclusive<u64>>),
    /// None of the ranges overlaps the file.
    Nothing,
}

/// The ranges a request asks for. `None` when it asks for none, or in a way that is not
/// understood: such a field is ignored.
pub(super) fn asked_for(headers: &HeaderMap) -> Option<Vec<Spec>> {
    let mut lines = headers.get_all(header::RANGE).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    parse(line.to_str().ok()?)
}

fn parse(text: &str) -> Option<Vec<Spec>> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // An empty element of a list is ignored (RFC 9110 section 5.6.1.2).
    let specs = set.split(',').map(|spec| spec.trim_matches([' ', '\t']));
    let specs = specs.filter(|spec| !spec.is_empty()).take(MOST + 1).map(spec);
    let specs = specs.collect::<Option<Vec<_>>>()?;
    (!specs.is_empty() && specs.len() <= MOST).then_some(specs)
}

fn spec(text: &str) -> Option<Spec> {
    let (first, last) = text.split_once('-')?;
    match (first, last) {
        ("", last) => Some(Spec::Last(number(last)?)),
        (first, "") => Some(Spec::Between(number(first)?, u64::MAX)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Between(first, last))
        }
    }
}

/// Digits and nothing else. What no file can be as long as is the end.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// What the ranges come to in a file of this size.
pub(super) fn extent(specs: &[Spec], size: u64) -> Extent {
    if size == 0 {
        // The last bytes of nothing can be had, but no field can say which ones they are.
        let has_some = specs.iter().any(|spec| matches!(spec, Spec::Last(1..)));
        return if has_some { Extent::Whole } else { Extent::Nothing };
    }
    let ranges = specs.iter().filter_map(|spec| match *spec {
        Spec::Between(first, last) => (first < size).then(|| first..=last.min(size - 1)),
        Spec::Last(0) => None,
        Spec::Last(bytes) => Some(size.saturating_sub(bytes)..=size - 1),
    });
    let ranges: Vec<_> = ranges.collect();
    let bytes = ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(length(range)));
    match <[_; 1]>::try_from(ranges) {
        Ok([range]) => Extent::One(range),
        Err(ranges) if ranges.is_empty() => Extent::Nothing,
        // Ranges that overlap would be a way to be sent more than there is.
        Err(_) if bytes > size => Extent::Whole,
        Err(ranges) => Extent::Several(ranges),
    }
}

/// How many bytes a range has.
pub(super) fn length(range: &RangeInclusive<u64>) -> u64 {
    range.end() - range.start() + 1
}

/// Whether the ranges are wanted of the file as it is now (RFC 9110 section 13.1.5): `If-Range`
/// has its strong entity tag or the very date it was changed.
pub(super) fn still_apply(asked: &HeaderMap, file: &HeaderMap) -> bool {
    let Some(condition) = asked.get(header::IF_RANGE) else { return true };
    let is = |name| file.get(name).is_some_and(|value: &HeaderValue| value == condition);
    is(header::ETAG) && condition.as_bytes().starts_with(b"\"") || is(header::LAST_MODIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=1",
            "bytes=-",
            "bytes=5-4",
            "bytes=+1-2",
            "bytes=1-2,x",
            "bytes=1--2",
            "lines=1-2",
            "bytes 1-2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        let many = format!("bytes={}", vec!["0-0"; MOST + 1].join(","));
        assert_eq!(parse(&many), None);
        assert_eq!(
            parse("Bytes=0-1,, 00005- ,\t-7"),
            Some(vec![Spec::Between(0, 1), Spec::Between(5, u64::MAX), Spec::Last(7)])
        );
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        assert!(asked_for(&twice).is_some());
        twice.append(header::RANGE, HeaderValue::from_static("bytes=2-3"));
        assert_eq!(asked_for(&twice), None);
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (text, size, expected) in [
            ("bytes=0-0", 10, Extent::One(0..=0)),
            ("bytes=5-", 10, Extent::One(5..=9)),
            ("bytes=5-99999999999999999999999", 10, Extent::One(5..=9)),
            ("bytes=-3", 10, Extent::One(7..=9)),
            ("bytes=-300", 10, Extent::One(0..=9)),
            ("bytes=10-", 10, Extent::Nothing),
            ("bytes=-0", 10, Extent::Nothing),
            ("bytes=0-", 0, Extent::Nothing),
            ("bytes=-1", 0, Extent::Whole),
            ("bytes=10-,0-1", 10, Extent::One(0..=1)),
            ("bytes=8-,0-1", 10, Extent::Several(vec![8..=9, 0..=1])),
            ("bytes=0-1,1-2", 10, Extent::Several(vec![0..=1, 1..=2])),
            ("bytes=0-,0-,0-", 10, Extent::Whole),
            ("bytes=0-5,2-9", 10, Extent::Whole),
        ] {
            let specs = parse(text).expect("ranges");
            assert_eq!(extent(&specs, size), expected, "{text} of {size}");
        }
    }

    #[test]
    fn a_changed_file_is_sent_whole() {
        let map = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a value"))])
        };
        let file = map(header::ETAG, "\"a\"");
        assert!(still_apply(&HeaderMap::new(), &file));
        assert!(still_apply(&map(header::IF_RANGE, "\"a\""), &file));
        assert!(!still_apply(&map(header::IF_RANGE, "\"b\""), &file));
        assert!(!still_apply(&map(header::IF_RANGE, "W/\"a\""), &map(header::ETAG, "W/\"a\"")));
        let day = "Sun, 06 Nov 1994 08:49:37 GMT";
        let file = map(header::LAST_MODIFIED, day);
        assert!(still_apply(&map(header::IF_RANGE, day), &file));
        assert!(!still_apply(&map(header::IF_RANGE, "Sun, 06 Nov 1994 08:49:38 GMT"), &file));
    }
}
