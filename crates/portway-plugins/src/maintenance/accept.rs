//! Whether a client would rather read a page.

use http::{HeaderMap, header};

/// Whether `text/html` is asked for by name, and wanted at least as much as JSON (RFC 9110 section
/// 12.5.1). A client that takes anything is no browser.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (None, None);
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let weight = weight(parts);
        if kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("text/*") {
            html = html.max(Some(weight));
        } else if kind.eq_ignore_ascii_case("application/json")
            || kind.eq_ignore_ascii_case("application/problem+json")
        {
            json = json.max(Some(weight));
        }
    }
    html.is_some_and(|html| html > 0 && json.is_none_or(|json| html >= json))
}

/// Thousandths. A weight that is none is that of nothing.
#[expect(single_use_lifetimes, reason = "the language wants a name for it here")]
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let q = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(q) = q else { return 1000 };
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let is_digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("0", Ok(thousandths)) if is_digits => thousandths,
        ("1", Ok(0)) if is_digits => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_for_those_who_ask_for_them() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("TEXT/HTML", true),
            ("text/html;q=0.5, application/json", false),
            ("text/html, application/json;q=0.9", true),
            ("application/json, text/html", true),
            ("text/html;q=0", false),
            ("text/html;q=0.000, */*", false),
            ("text/html;level=1;q=0.3, application/json;q=0.299", true),
            ("text/html;q=2", false),
            ("*/*", false),
            ("application/json", false),
            ("application/grpc", false),
            ("", false),
        ] {
            let value = http::HeaderValue::from_static(accept);
            let headers = HeaderMap::from_iter([(header::ACCEPT, value)]);
            assert_eq!(prefers_html(&headers), html, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
