//! The tables in `docs/benchmarks.md`: everything between two marks is replaced.

use std::fs;

use anyhow::{Context, bail};

use crate::workspace;

const FILE: &str = "docs/benchmarks.md";
/// The mark above the tables of `cargo xtask bench`.
pub(super) const SIDE_BY_SIDE: &str = "<!-- tables: written by cargo xtask bench -->\n";
/// The mark above those of `cargo xtask bench apigate`.
pub(super) const APIGATE: &str = "<!-- tables: written by cargo xtask bench apigate -->\n";
const END: &str = "<!-- end of tables -->";

/// Writes `tables` between this mark and the end.
pub(super) fn write(begin: &str, tables: &str) -> anyhow::Result<()> {
    let path = workspace::root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    fs::write(&path, replaced(&text, begin, tables)?)
        .with_context(|| format!("cannot write {FILE}"))
}

fn replaced(text: &str, begin: &str, tables: &str) -> anyhow::Result<String> {
    let parts = text.split_once(begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        bail!("{FILE} lacks the marks '{}' and '{END}'", begin.trim_end());
    };
    Ok(format!("{before}{begin}\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::{APIGATE, END, SIDE_BY_SIDE, replaced};

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let other = format!("{APIGATE}other\n{END}\n");
        for (before, after) in [("before\n", other.as_str()), (other.as_str(), "after\n")] {
            let text = format!("{before}{SIDE_BY_SIDE}old\n{END}\n{after}");
            let once = replaced(&text, SIDE_BY_SIDE, "new\n").unwrap();
            assert_eq!(once, format!("{before}{SIDE_BY_SIDE}\nnew\n\n{END}\n{after}"));
            assert_eq!(replaced(&once, SIDE_BY_SIDE, "new").unwrap(), once);
        }
        assert!(replaced("no marks", APIGATE, "new").is_err());
    }
}
