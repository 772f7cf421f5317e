//! Differences between what was and what is to be, as people know them from `diff -u`.

use anstyle::{AnsiColor, Effects, Style};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{text, yaml};
use crate::terminal::{columns, plural};

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const BOLD: Style = Style::new().effects(Effects::BOLD);

/// The lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// How many changes there are.
pub(crate) fn count(changes: &[Value]) -> usize {
    changes.iter().filter(|change| change["action"] != "unchanged").count()
}

/// All changes, line by line. What does not change is left out.
pub(crate) fn unified(changes: &[Value]) -> String {
    changes.iter().filter(|change| change["action"] != "unchanged").map(one).collect()
}

fn one(change: &Value) -> String {
    let lines = |key: &str| match change.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(spec) => yaml::document(spec),
    };
    let (before, after) = (lines("before"), lines("after"));
    let what = named(change);
    let name = |lines: &str| if lines.is_empty() { "/dev/null".to_owned() } else { what.clone() };
    let mut report = format!("{BOLD}--- {}\n+++ {}{BOLD:#}\n", name(&before), name(&after));
    if before == after {
        // Both sides are masked.
        report += "  what was changed is secret\n";
        return report;
    }
    let diff = TextDiff::from_lines(&before, &after);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        report += &format!("{CYAN}{}{CYAN:#}\n", hunk.header());
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let line = change.value().trim_end_matches('\n');
            report += &format!("{style}{sign}{line}{style:#}\n");
        }
    }
    report
}

/// `route shop`, `route billing/shop`.
pub(crate) fn named(change: &Value) -> String {
    let (kind, namespace, name) =
        (text(change, "/kind"), text(change, "/namespace"), text(change, "/name"));
    match namespace.as_str() {
        "" | "default" => format!("{kind} {name}"),
        _ => format!("{kind} {namespace}/{name}"),
    }
}

/// What was done to each resource, in a table, and in a sentence.
pub(crate) fn table(changes: &[Value], is_dry: bool) -> String {
    let changed = changes.iter().filter(|change| change["action"] != "unchanged");
    let row = |change: &Value| {
        ["/action", "/kind", "/namespace", "/name"].map(|at| text(change, at)).to_vec()
    };
    let rows = changed.map(row).collect::<Vec<_>>();
    let table = match rows.is_empty() {
        true => String::new(),
        false => columns(&["ACTION", "KIND", "NAMESPACE", "NAME"], &rows) + "\n",
    };
    table + &sentence(changes, is_dry)
}

/// `2 created, 1 updated, 5 unchanged`.
pub(crate) fn sentence(changes: &[Value], is_dry: bool) -> String {
    let of = |action: &str| changes.iter().filter(|change| change["action"] == action).count();
    let words = [
        ("create", "created"),
        ("update", "updated"),
        ("delete", "deleted"),
        ("unchanged", "unchanged"),
    ];
    let counted = words.iter().map(|(action, word)| (of(action), word));
    let parts = counted.filter(|(count, _)| *count > 0);
    let parts = parts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>();
    if parts.is_empty() {
        return "nothing to do\n".to_owned();
    }
    let dry = if is_dry { "dry run, nothing was changed: " } else { "" };
    format!("{dry}{}\n", parts.join(", "))
}

/// `+2 ~1 -3`, for a column.
pub(crate) fn short(summary: &Value) -> String {
    let parts = [("created", '+'), ("updated", '~'), ("deleted", '-')];
    let shown = parts.iter().filter_map(|(key, sign)| {
        let count = summary.get(key)?.as_u64().filter(|count| *count > 0)?;
        Some(format!("{sign}{count}"))
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// How many differences, for the end.
pub(crate) fn total(changes: &[Value]) -> String {
    plural(count(changes), "difference")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_shown_line_by_line() {
        let changes = [
            json!({ "kind": "route", "namespace": "default", "name": "a", "action": "update",
                "before": { "a": 1, "b": [1, 2] }, "after": { "a": 1, "b": [1, 3] } }),
            json!({ "kind": "service", "namespace": "shop", "name": "b", "action": "create",
                "before": null, "after": { "url": "http://a" } }),
            json!({ "kind": "service", "namespace": "shop", "name": "c", "action": "unchanged" }),
        ];
        let plain = anstream::adapter::strip_str(&unified(&changes)).to_string();
        assert_eq!(
            plain,
            "--- route a\n+++ route a\n@@ -1,4 +1,4 @@\n a: 1\n b:\n - 1\n-- 2\n+- 3\n\
             --- /dev/null\n+++ service shop/b\n@@ -0,0 +1 @@\n+url: http://a\n"
        );
        let masked = json!({ "keys": ["(masked)"] });
        let secret = json!({ "kind": "consumer", "namespace": "default", "name": "ann",
            "action": "update", "before": masked, "after": masked });
        let plain = anstream::adapter::strip_str(&unified(&[secret])).to_string();
        assert_eq!(plain, "--- consumer ann\n+++ consumer ann\n  what was changed is secret\n");
        assert_eq!(sentence(&changes, false), "1 created, 1 updated, 1 unchanged\n");
        assert_eq!(total(&changes), "2 differences");
        assert_eq!(sentence(&[], true), "nothing to do\n");
        assert_eq!(short(&json!({ "created": 2, "updated": 0, "deleted": 1 })), "+2 -1");
    }
}
