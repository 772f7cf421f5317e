//! Hosts: tables find what comparing with each pattern finds, however a client spells its host.

use portway_core::fuzzing::takes_host;
use portway_plugin::value::{HostPattern, HostValue};

/// The first line is a host, each of the others a pattern.
pub(crate) fn check(input: &[u8]) {
    let &[_, _, ref bytes @ ..] = input else { return };
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n');
    let authority = lines.next().unwrap_or_default();
    let patterns: Vec<HostPattern> = lines.filter_map(pattern).take(16).collect();
    // Whatever a client sends: it is looked up after it was checked, and must do no harm before.
    let _ = takes_host(&patterns, authority);
    let Ok(host) = authority.parse::<HostValue>() else { return };
    assert_eq!(host.to_string().parse::<HostValue>().as_ref(), Ok(&host));
    assert_eq!(host.as_str(), host.as_str().to_ascii_lowercase());

    let name = host.host();
    let takes = |pattern: &HostPattern| match (pattern.exact(), pattern.suffix()) {
        (Some(exact), _) => exact == name,
        (None, Some(suffix)) => {
            name.strip_suffix(suffix).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }
        (None, None) => pattern.is_any(),
    };
    let expected = patterns.iter().any(takes);
    let mut spellings = vec![
        host.as_str().to_owned(),
        name.to_owned(),
        authority.to_owned(),
        name.to_ascii_uppercase(),
        format!("{name}:8080"),
    ];
    if host.ip().is_none() {
        spellings.push(format!("{name}."));
    }
    for spelling in spellings {
        assert_eq!(takes_host(&patterns, &spelling), expected, "{spelling:?} in {patterns:?}");
    }
}

fn pattern(line: &str) -> Option<HostPattern> {
    let pattern = line.parse::<HostPattern>().ok()?;
    assert_eq!(pattern.to_string().parse::<HostPattern>().as_ref(), Ok(&pattern));
    let kinds = [pattern.exact().is_some(), pattern.suffix().is_some(), pattern.is_any()];
    assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{pattern}");
    Some(pattern)
}
