//! The tables of `docs/http1.md`: their rows, as bytes.

/// The rows of the table under a heading, their cells as they stand there.
pub(crate) fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let behind = page.split_once(&format!("\n## {heading}\n")).expect("the heading").1;
    let section = behind.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What a code span means.
pub(crate) fn bytes(cell: &str) -> Vec<u8> {
    let text = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect("a code span");
    let mut out = Vec::new();
    let rest = unescape(text, &mut out, false);
    assert_eq!(rest, "", "a brace too many in {cell}");
    out
}

/// Reads up to the end, or up to the brace that closes a repetition. Returns what follows.
fn unescape<'a>(mut text: &'a str, out: &mut Vec<u8>, nested: bool) -> &'a str {
    loop {
        let Some(first) = text.chars().next() else {
            assert!(!nested, "a repetition without an end");
            return text;
        };
        match first {
            '}' => return if nested { &text[1..] } else { text },
            '{' => text = brace(&text[1..], out),
            '\\' => text = escape(&text[1..], out),
            _ => {
                out.extend_from_slice(&text.as_bytes()[..first.len_utf8()]);
                text = &text[first.len_utf8()..];
            }
        }
    }
}

/// `{next}`, `{chunked}` or `{3*text}`.
fn brace<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let names = [
        ("next}", "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("chunked}", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ];
    for (name, meaning) in names {
        if let Some(rest) = text.strip_prefix(name) {
            out.extend_from_slice(meaning.as_bytes());
            return rest;
        }
    }
    let (times, text) = text.split_once('*').expect("a number and a star");
    let times = times.parse().expect("a number");
    let mut once = Vec::new();
    let rest = unescape(text, &mut once, true);
    out.extend(once.repeat(times));
    rest
}

fn escape<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let (byte, length) = match text.as_bytes().first() {
        Some(b'r') => (b'\r', 1),
        Some(b'n') => (b'\n', 1),
        Some(b't') => (b'\t', 1),
        Some(b'\\') => (b'\\', 1),
        Some(b'x') => (u8::from_str_radix(&text[1..3], 16).expect("two digits"), 3),
        _ => panic!("an unknown escape: \\{text}"),
    };
    out.push(byte);
    &text[length..]
}
