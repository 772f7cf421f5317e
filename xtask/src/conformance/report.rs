//! What h2spec reports: a file in `JUnit`'s form, of which the names of cases and their failures
//! matter.

/// How many cases there were, and which of them failed, named `section: title`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) cases: usize,
    pub(super) failed: Vec<String>,
}

/// Reads a report. A case that was skipped counts as failed: nothing is known of it.
pub(super) fn read(text: &str) -> Report {
    let cases: Vec<&str> = text.split("<testcase ").skip(1).collect();
    let failed = cases.iter().filter(|case| {
        let case = case.split("</testcase>").next().unwrap_or_default();
        ["<failure", "<error", "<skipped"].iter().any(|mark| case.contains(mark))
    });
    let name = |case: &&str| {
        let (section, title) = (attribute(case, "package"), attribute(case, "classname"));
        format!("{section}: {title}")
    };
    Report { cases: cases.len(), failed: failed.map(name).collect() }
}

/// The value of an attribute in the tag that `text` begins with.
fn attribute(text: &str, name: &str) -> String {
    let value = text.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    let value = value.map_or("", |(value, _)| value);
    value.replace("&#34;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_named_and_the_others_counted() {
        let report = read(
            "<testsuite><testcase package=\"http2/3.5\" classname=\"One\" time=\"0\"></testcase>\
             <testcase package=\"http2/4.2\" classname=\"Two &#34;x&#34;\" time=\"0\">\
             <failure>what</failure></testcase>\
             <testcase package=\"hpack/5\" classname=\"Three\"><error>no</error></testcase>",
        );
        assert_eq!(report.cases, 3);
        assert_eq!(report.failed, ["http2/4.2: Two \"x\"", "hpack/5: Three"]);
    }

    #[test]
    fn an_empty_report_has_no_case() {
        assert_eq!(read("<testsuites></testsuites>"), Report { cases: 0, failed: Vec::new() });
    }
}
