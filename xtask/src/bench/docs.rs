//! The tables in `docs/benchmarks.md`: everything between two marks is replaced.

use std::fs;

use anyhow::{Context, bail};

use crate::workspace;

const FILE: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- tables: written by cargo xtask bench -->\n";
const END: &str = "<!-- end of tables -->";

/// Writes `tables` between the marks.
pub(super) fn write(tables: &str) -> anyhow::Result<()> {
    let path = workspace::root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    fs::write(&path, replaced(&text, tables)?).with_context(|| format!("cannot write {FILE}"))
}

fn replaced(text: &str, tables: &str) -> anyhow::Result<String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        bail!("{FILE} lacks the marks '{}' and '{END}'", BEGIN.trim_end());
    };
    Ok(format!("{before}{BEGIN}\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, replaced};

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let once = replaced(&text, "new\n").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\nnew\n\n{END}\nafter\n"));
        assert_eq!(replaced(&once, "new").unwrap(), once);
        assert!(replaced("no marks", "new").is_err());
    }
}
