//! Paths: there is one normal form, and everything that is written down reads the same again.

use std::{fmt::Display, str::FromStr};

use portway_plugin::value::{PathPattern, PathPrefix, PathTemplate, RequestPath, normalize_path};

/// Bit 0: what is ambiguous is kept.
pub(crate) fn check(input: &[u8]) {
    let &[mode, _, ref bytes @ ..] = input else { return };
    let Ok(path) = str::from_utf8(bytes) else { return };
    normal(path, mode & 1 != 0);
    same_again::<RequestPath>(path);
    same_again::<PathPrefix>(path);
    same_again::<PathPattern>(path);
    same_again::<PathTemplate>(path);
}

fn normal(path: &str, allow: bool) {
    let strict = normalize_path(path, false);
    let lax = normalize_path(path, true);
    let is_relative = !path.is_empty() && !path.starts_with('/');
    assert!(!is_relative || lax.is_err());
    if let Ok(strict) = &strict {
        assert_eq!(lax.as_ref(), Ok(strict), "what is not ambiguous is not kept differently");
        let dots = |segment: &str| {
            let name = segment.split(';').next();
            matches!(name, Some("." | ".."))
        };
        assert!(!strict.split('/').any(dots), "{strict}");
        assert!(!strict.contains('\\'), "{strict}");
    }
    let chosen = if allow { lax } else { strict };
    let Ok(normal) = chosen else { return };
    assert!(normal.starts_with('/'), "{normal}");
    assert!(normal.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>".contains(&byte)));
    assert_eq!(normalize_path(&normal, allow).as_deref(), Ok(&*normal), "twice is once");
}

/// Whether what was read is written so that it reads the same.
fn same_again<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let written = value.to_string();
    let Ok(again) = written.parse::<T>() else { panic!("{written:?} is not read again") };
    assert_eq!(again, value);
    assert_eq!(again.to_string(), written);
}
