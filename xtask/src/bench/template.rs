//! The configurations under `bench/`: one file for each program, filled in for a place.
//!
//! A line that ends with `# only: tls, grpc` is for those forms and left out in the others, so that
//! what a program is told differs by the lines that have to differ. All the formats take what
//! follows a `#` for a comment.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::Context;

use super::case::Form;
use super::contender::Place;
use crate::workspace;

/// Begins the end of a line that not every form has.
const ONLY: &str = "# only: ";

/// Fills in a template of `bench/` and writes it into the place; returns the file's path.
///
/// The placeholders are `@LISTEN@`, `@LISTEN_PORT@`, `@SIDE@`, `@SIDE_PORT@`, `@UPSTREAM@`,
/// `@UPSTREAM_PORT@` and `@FOLDER@`.
pub(crate) fn fill(template: &str, place: &Place<'_>) -> anyhow::Result<PathBuf> {
    let source = workspace::root().join("bench").join(template);
    let text = std::fs::read_to_string(&source)
        .with_context(|| format!("cannot read {}", source.display()))?;
    let name = source.file_name().expect("a template is a file");
    let path = place.folder.join(name);
    std::fs::write(&path, filled(&of_form(&text, place.form), place))?;
    Ok(path)
}

/// The lines of a form.
fn of_form(text: &str, form: Form) -> String {
    let lines = text.lines().filter_map(|line| match line.split_once(ONLY) {
        Some((line, forms)) => forms
            .split(',')
            .any(|name| form.has(name.trim()))
            .then(|| format!("{}\n", line.trim_end())),
        None => Some(format!("{line}\n")),
    });
    lines.collect()
}

fn filled(text: &str, place: &Place<'_>) -> String {
    debug_assert_eq!(place.listen.ip(), Ipv4Addr::LOCALHOST);
    text.replace("@LISTEN@", &place.listen.to_string())
        .replace("@LISTEN_PORT@", &place.listen.port().to_string())
        .replace("@SIDE@", &place.side.to_string())
        .replace("@SIDE_PORT@", &place.side.port().to_string())
        .replace("@UPSTREAM@", &place.upstream.to_string())
        .replace("@UPSTREAM_PORT@", &place.upstream.port().to_string())
        .replace("@FOLDER@", &place.folder.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::of_form;
    use crate::bench::case::Form;

    #[test]
    fn a_form_has_its_own_lines_and_those_of_everybody() {
        let text = "bind 1\nbind 2 ssl  # only: tls, grpc\nproto h2 # only: grpc\n";
        assert_eq!(of_form(text, Form::Plain), "bind 1\n");
        assert_eq!(of_form(text, Form::Tls), "bind 1\nbind 2 ssl\n");
        assert_eq!(of_form("a # only: plain\nb # only: jwt, chain\n", Form::Chain), "a\nb\n");
        assert_eq!(of_form(text, Form::Grpc), "bind 1\nbind 2 ssl\nproto h2\n");
    }
}
