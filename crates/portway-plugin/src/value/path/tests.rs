use proptest::prelude::*;

use super::*;
use crate::value::Regex;

fn normal(path: &str) -> Result<String, AmbiguousPath> {
    normalize_path(path, false).map(std::borrow::Cow::into_owned)
}

#[test]
fn one_normal_form() {
    for (path, expected) in [
        ("/", "/"),
        ("", "/"),
        ("/a/b", "/a/b"),
        ("/a/", "/a/"),
        ("//", "//"),
        ("/a//b", "/a//b"),
        ("/a;x=1/b;y", "/a;x=1/b;y"),
        ("/%61%2D%2e%5F%7e%41%30", "/a-._~A0"),
        ("/%e2%82%ac", "/%E2%82%AC"),
        ("/%e4", "/%E4"),
        ("/%c0x", "/%C0x"),
        ("/a%20b%3fc%23d", "/a%20b%3Fc%23d"),
        ("/%0d%0a", "/%0D%0A"),
        ("/%2b%2B+", "/%2B%2B+"),
        ("/%252e", "/%252e"),
        ("/%25%32%65", "/%252e"),
        ("/€\"<>^`{}|[]", "/%E2%82%AC%22%3C%3E%5E%60%7B%7D|[]"),
        ("/a b\u{7f}", "/a%20b%7F"),
        ("/a/./b", "/a/b"),
        ("/a/.", "/a/"),
        ("/.", "/"),
        ("/a/../b", "/b"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e", "/"),
        ("/a//..", "/a/"),
        ("/a//../../b", "/b"),
        ("//..", "/"),
        ("/a/.../b", "/a/.../b"),
        ("/a/..b/.c/d.", "/a/..b/.c/d."),
    ] {
        assert_eq!(normal(path).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    use AmbiguousPath::*;
    for (path, reason) in [
        ("a", Relative),
        ("*", Relative),
        ("/a%2fb", EncodedSlash),
        ("/a/..%2Fb", EncodedSlash),
        ("/a%5cb", Backslash),
        ("/a\\..\\b", Backslash),
        ("/..", ClimbsAboveRoot),
        ("/../a", ClimbsAboveRoot),
        ("/a/../../b", ClimbsAboveRoot),
        ("/a/%2e%2e/%2E./b", ClimbsAboveRoot),
        ("/./..", ClimbsAboveRoot),
        ("/a/..;/b", DotSegmentParameter),
        ("/a/%2e%2e;x=1", DotSegmentParameter),
        ("/a/.;/b", DotSegmentParameter),
        ("/a%00", Nul),
        ("/a\0", Nul),
        ("/%c0%ae%c0%ae/", Overlong),
        ("/%C0%AF", Overlong),
        ("/%c1%1c", Overlong),
        ("/%c0\u{e9}", Overlong),
        ("/%e0%80%af", Overlong),
        ("/%f0%80%80%af", Overlong),
        ("/%zz", MalformedEscape),
        ("/%", MalformedEscape),
        ("/%4", MalformedEscape),
        ("/%u002e", MalformedEscape),
        ("/%%41", MalformedEscape),
    ] {
        assert_eq!(normal(path), Err(reason), "{path}");
    }
}

#[test]
fn what_is_ambiguous_can_be_kept() {
    for (path, expected) in [
        ("/a%2fb/%61", "/a%2Fb/a"),
        ("/a\\b", "/a\\b"),
        ("/../a/../b", "/../b"),
        ("/a/../../../b", "/../../b"),
        ("/..", "/.."),
        ("/a/..;/b", "/a/..;/b"),
        ("/%00/%c0%ae", "/%00/%C0%AE"),
        ("/%zz%61", "/%zza"),
        ("/%z%61", "/%z%61"),
        ("/%%341", "/%%341"),
        ("/%%34%31", "/%%341"),
    ] {
        assert_eq!(normalize_path(path, true).as_deref(), Ok(expected), "{path}");
    }
    assert_eq!(normalize_path("a", true), Err(AmbiguousPath::Relative));
}

#[test]
fn a_normal_path_is_only_looked_at() {
    for path in ["/", "/account/7", "/a%20b/.c;d//"] {
        let normal = normalize_path(path, false).unwrap();
        assert!(matches!(normal, std::borrow::Cow::Borrowed(same) if same == path));
    }
}

/// Paths with much that matters and little else.
fn any_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just(".".to_owned()),
        Just("..".to_owned()),
        Just("%".to_owned()),
        Just("%2".to_owned()),
        any::<u8>().prop_map(|byte| format!("%{byte:02x}")),
        any::<char>().prop_map(String::from),
        "[0-9a-fA-F;a-z]{0,2}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_normal_form_of_a_normal_form_is_itself(path in any_path(), allow: bool) {
        if let Ok(once) = normalize_path(&path, allow) {
            prop_assert_eq!(normalize_path(&once, allow), Ok(once.clone()));
            prop_assert!(once.starts_with('/') && once.bytes().all(|byte| byte.is_ascii_graphic()));
            if !allow {
                prop_assert!(matches!(
                    normalize_path(&once, false),
                    Ok(std::borrow::Cow::Borrowed(_))
                ));
                prop_assert!(!once.split('/').any(|segment| segment == "." || segment == ".."));
            }
        }
    }

    #[test]
    fn what_is_not_ambiguous_has_one_form_whatever_is_allowed(path in any_path()) {
        if let Ok(strict) = normalize_path(&path, false) {
            prop_assert_eq!(normalize_path(&path, true), Ok(strict));
        }
    }

    #[test]
    fn another_spelling_of_a_path_has_the_same_form(
        segments in prop::collection::vec("[a-z.]{1,3}", 1..5),
        spelling in prop::collection::vec(0..3_u8, 20),
    ) {
        let path = format!("/{}", segments.join("/"));
        let mut spelling = spelling.into_iter().cycle();
        let other: String = path
            .chars()
            .map(|character| match spelling.next() {
                Some(1) if character != '/' => format!("%{:02x}", u32::from(character)),
                Some(2) if character != '/' => format!("%{:02X}", u32::from(character)),
                _ => character.to_string(),
            })
            .collect();
        prop_assert_eq!(normal(&path), normal(&other));
    }

    #[test]
    fn a_pattern_is_what_it_is_written_as(text in any_pattern()) {
        if let Ok(pattern) = text.parse::<PathPattern>() {
            prop_assert_eq!(&pattern.to_string().parse::<PathPattern>().unwrap(), &pattern);
        }
    }
}

fn any_pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just("/"),
        2 => prop::sample::select(&["a", "-", ".", "..", "%41", "%2b", "é", "*", "}"][..]),
        2 => prop::sample::select(
            &["{a}", "{b}", "{c:[0-9]{2}}", "{d:[{}]+}", "{e:a/b}", "{*f}", "{", "{a:"][..]
        ),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn show(segment: &Segment) -> String {
    match segment {
        Segment::Literal(text) => format!("{text:?}"),
        Segment::Param(name) => name.to_string(),
        Segment::Regex { name, regex } => format!("{name}~{regex}"),
        Segment::Rest(name) => format!("*{name}"),
        Segment::Parts(parts) => {
            let parts = parts.as_slice().iter().map(|part| match part {
                Part::Literal(text) => format!("{text:?}"),
                Part::Param(name) => name.to_string(),
                Part::Regex { name, regex } => format!("{name}~{regex}"),
            });
            format!("({})", parts.collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn patterns_are_read_segment_by_segment() {
    for (text, segments, captures) in [
        ("/", r#""""#, ""),
        ("/a", r#""a""#, ""),
        ("/a/", r#""a" """#, ""),
        ("//a", r#""" "a""#, ""),
        ("/account/{id}", r#""account" id"#, "id"),
        ("/{a}-{b}/c", r#"(a "-" b) "c""#, "a b"),
        ("/v{major}.{minor}", r#"("v" major "." minor)"#, "major minor"),
        ("/{id:[0-9]{2,3}}", "id~[0-9]{2,3}", "id"),
        ("/{id:[^/}{]+}/x", r#"id~[^/}{]+ "x""#, "id"),
        (r"/{id:\}[]}]}", r"id~\}[]}]", "id"),
        ("/{year:[0-9]+}-{slug}", r#"(year~[0-9]+ "-" slug)"#, "year slug"),
        ("/{a}{b:[0-9]+}", "(a b~[0-9]+)", "a b"),
        ("/files/{*rest}", r#""files" *rest"#, "rest"),
        ("/{*rest}", "*rest", "rest"),
        ("/caf\u{e9}/%7e%2b", r#""caf%C3%A9" "~%2B""#, ""),
        ("/a%7Bb", r#""a%7Bb""#, ""),
    ] {
        let pattern: PathPattern = text.parse().unwrap();
        let shown: Vec<String> = pattern.segments().iter().map(show).collect();
        assert_eq!(shown.join(" "), segments, "{text}");
        assert_eq!(pattern.captures().collect::<Vec<_>>().join(" "), captures, "{text}");
    }
}

#[test]
fn a_refusal_says_where_and_what_to_write() {
    for (text, message) in [
        ("account", "it does not begin with a slash, at character 1 (write /account)"),
        ("", "it does not begin with a slash, at character 1 (write /)"),
        (
            "/x{",
            "a brace is never closed, at character 3 (write {name} for a placeholder, %7B for a \
             brace)",
        ),
        (
            "/a}",
            "it has '}' in it, at character 3 (there is no '{' before it; write {name} for a \
             placeholder, %7D for a brace)",
        ),
        (
            "/{}",
            "a placeholder has no name, at character 3 (a name is a letter, then letters, digits, \
             '_' and '-')",
        ),
        (
            "/é/{1a}",
            "\"1a\" is no name for a placeholder, at character 5 (a name is a letter, then \
             letters, digits, '_' and '-')",
        ),
        ("/{a}/{a}", "it has two placeholders {a}, at character 6 (give each a name of its own)"),
        ("/{a}{b}", "nothing stands between {a} and {b}, at character 5 (put text between them)"),
        ("/{a:}", "an expression is missing, at character 5 (write {a} for any text)"),
        ("/{a:(}", "\"(\" is not a regular expression: unclosed group, at character 5"),
        (
            "/{*rest}/a",
            "something follows the placeholder for all that follows, at character 2 (put {*name} \
             at the end, or use {name} for one segment)",
        ),
        (
            "/a{*rest}",
            "{*rest} has text before it, at character 3 (put a slash before it, or use {name} for \
             a part)",
        ),
        (
            "/a?b",
            "it has '?' in it, at character 3 (a query is no part of a path; write %3F for a \
             question mark)",
        ),
        (
            "/a%zz",
            "it has a '%' that is not followed by two hex digits, at character 3 (write %25 \
                   for a percent sign)",
        ),
        (
            "/a/b%2fc",
            "it has an encoded slash (%2F), at character 5 (requests with such a path are refused)",
        ),
        (
            "/a/../b",
            "a segment is \"..\", at character 4 (write the path that is left once it is resolved)",
        ),
        (
            "/a/*",
            "a star stands for nothing but itself, at character 4 (write {*rest} for all that \
             follows, {name} for one segment, or match the star with `exact`)",
        ),
    ] {
        let error = text.parse::<PathPattern>().unwrap_err().to_string();
        assert_eq!(error, format!("{text:?} is not a path pattern: {message}"));
    }
    let deep = "/a".repeat(257);
    assert!(deep.parse::<PathPattern>().is_err() && deep.parse::<PathPrefix>().is_err());
}

#[test]
fn one_shape_for_what_matches_the_same_paths() {
    fn shape<T: std::str::FromStr<Err: std::fmt::Debug>>(
        text: &str,
        shape: impl Fn(&T) -> PathShape,
    ) -> PathShape {
        shape(&text.parse().unwrap())
    }
    let pattern = |text: &str| shape(text, PathPattern::shape);
    let prefix = |text: &str| shape(text, PathPrefix::shape);
    let exact = |text: &str| shape(text, RequestPath::shape);
    for (one, other) in [
        (pattern("/a/{id}"), pattern("/a/{name}")),
        (pattern("/{a}-{b}"), pattern("/{x}-{y}")),
        (pattern("/{a:x+}"), pattern("/{b:x+}")),
        (pattern("/a/b"), exact("/%61/b")),
        (pattern("/{*rest}"), PathShape::any()),
        (prefix("/"), PathShape::any()),
        (prefix("/a/"), prefix("/a")),
    ] {
        assert_eq!(one, other);
    }
    let all = [
        PathShape::any(),
        PathShape::regex(&"/a".parse::<Regex>().unwrap()),
        pattern("/a"),
        pattern("/a/"),
        prefix("/a"),
        pattern("/a/{*rest}"),
        pattern("/a/{x}"),
        pattern("/a/{x:[a-z]+}"),
        pattern("/a/{x}-{y}"),
        pattern("/a/{x}-"),
        pattern("/a/{x:[a-z]+}-"),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[at + 1..].contains(one), "{one:?}");
    }
}

#[test]
fn a_prefix_is_taken_off_by_whole_segments() {
    let prefix: PathPrefix = "/a/b/".parse().unwrap();
    assert_eq!(prefix.as_str(), "/a/b");
    for (path, rest) in [
        ("/a/b", Some("/")),
        ("/a/b/", Some("/")),
        ("/a/b/c", Some("/c")),
        ("/a/b//c", Some("//c")),
        ("/a/bc", None),
        ("/a", None),
    ] {
        assert_eq!(prefix.strip(path), rest, "{path}");
    }
    let root: PathPrefix = "/".parse().unwrap();
    assert_eq!(root.strip("/x/"), Some("/x/"));
    assert!(root.is_root() && root.segments().next().is_none());
}

#[test]
fn paths_below_a_prefix() {
    let prefix: PathPrefix = "/api/v1".parse().unwrap();
    let root: PathPrefix = "/".parse().unwrap();
    let pattern: PathPattern = "/a/{id}".parse().unwrap();
    assert_eq!(pattern.prefixed(&prefix).to_string(), "/api/v1/a/{id}");
    assert_eq!(pattern.prefixed(&root), pattern);
    let exact: RequestPath = "/".parse().unwrap();
    assert_eq!(exact.prefixed(&prefix).as_str(), "/api/v1/");
    assert_eq!(root.prefixed(&prefix).as_str(), "/api/v1");
    assert_eq!(prefix.prefixed(&root).as_str(), "/api/v1");
    assert_eq!(prefix.prefixed(&prefix).as_str(), "/api/v1/api/v1");
}

#[test]
fn literal_paths_are_brought_to_their_normal_form() {
    for (text, path) in [("/a/../%62", "/b"), ("/a/", "/a/"), ("/a%7bb", "/a%7Bb")] {
        assert_eq!(text.parse::<RequestPath>().unwrap().as_str(), path);
    }
    for (text, why) in [
        ("/a/{id}", "placeholders stand in `path: /a/{name}` only"),
        ("/a?b", "a query is no part of a path"),
        ("a", "does not begin with a slash"),
        ("/a b", "write %20"),
        ("/../a", "climbs above the root"),
        ("/a%2Fb", "an encoded slash (%2F), at character 3"),
    ] {
        let error = text.parse::<RequestPath>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// The table of the Gateway API's `ReplacePrefixMatch`.
#[test]
fn a_prefix_is_replaced_by_whole_segments() {
    for (path, prefix, other, expected) in [
        ("/foo/bar", "/foo", "/xyz", Some("/xyz/bar")),
        ("/foo/bar", "/foo", "/xyz/", Some("/xyz/bar")),
        ("/foo/bar", "/foo/", "/xyz", Some("/xyz/bar")),
        ("/foo", "/foo", "/xyz", Some("/xyz")),
        ("/foo/", "/foo", "/xyz", Some("/xyz/")),
        ("/foo/bar", "/foo", "/", Some("/bar")),
        ("/foo/", "/foo", "/", Some("/")),
        ("/foo", "/foo", "/", Some("/")),
        ("/bar", "/", "/xyz", Some("/xyz/bar")),
        ("/foobar", "/foo", "/xyz", None),
    ] {
        let prefix: PathPrefix = prefix.parse().unwrap();
        let replaced = prefix.replace(path, &other.parse().unwrap());
        assert_eq!(replaced.as_deref(), expected, "{path} {prefix} {other}");
    }
}
