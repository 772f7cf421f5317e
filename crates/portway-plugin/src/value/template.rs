//! Templates: the paths that rewrites and redirects make.

use std::{fmt, str::FromStr};

use super::{
    path::{
        AmbiguousPath, Flaw, Kind, Piece, check_dot_segments, literal_text, pieces, push_capture,
    },
    text::{InvalidValue, text_form},
};

/// A path to be made: literal text and the captures of a route, as in `/v2/accounts/{id}`. What
/// it makes is always a path: a capture cannot begin a query, a line or an escape of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathTemplate {
    parts: Box<[TemplatePart]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum TemplatePart {
    Literal(Box<str>),
    Capture(Box<str>),
}

impl PathTemplate {
    /// The names of the captures it wants, in order. A name may come twice.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Literal(_) => None,
            TemplatePart::Capture(name) => Some(&**name),
        })
    }

    /// The path with each capture put in its place. A capture is text of a path's normal form, so
    /// its escapes stay as they are and are never decoded; one that there is not is empty.
    ///
    /// # Errors
    ///
    /// The captures and the text around them make a dot segment, which the upstream would resolve
    /// and which therefore must not be sent.
    pub fn render<'a>(
        &self,
        capture: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<String, AmbiguousPath> {
        let mut path = String::with_capacity(64);
        for part in &self.parts {
            match part {
                TemplatePart::Literal(text) => path.push_str(text),
                TemplatePart::Capture(name) => {
                    push_capture(capture(name).unwrap_or_default(), &mut path);
                }
            }
        }
        check_dot_segments(&path)?;
        Ok(path)
    }
}

impl FromStr for PathTemplate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse(text).map_err(|flaw| flaw.of(text, "a path template"))
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                TemplatePart::Literal(text) => f.write_str(text)?,
                TemplatePart::Capture(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

text_form!(
    PathTemplate,
    "portway-path-template",
    "a path template",
    ["/v2/accounts/{id}", "/static/{rest}"]
);

fn parse(text: &str) -> Result<PathTemplate, Flaw> {
    let mut parts = Vec::new();
    for piece in pieces(text)? {
        parts.push(match piece {
            Piece::Literal { text, at } => TemplatePart::Literal(literal_text(at, text)?.into()),
            Piece::Placeholder { name, kind: Kind::Param, .. } => {
                TemplatePart::Capture(name.into())
            }
            Piece::Placeholder { name, at, .. } => {
                return Err(Flaw::new(at, "a template has names in its braces, nothing else")
                    .hint(format!("write {{{name}}}")));
            }
        });
    }
    let template = PathTemplate { parts: parts.into() };
    // Any capture that is not empty tells whether the text alone makes a dot segment.
    template.render(|_| Some("x")).map_err(|_| {
        Flaw::new(0, "it has a dot segment").hint("write the path that is left once it is resolved")
    })?;
    Ok(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, captures: &[(&str, &str)]) -> Result<String, AmbiguousPath> {
        let template: PathTemplate = template.parse().unwrap();
        template
            .render(|name| captures.iter().find(|(other, _)| *other == name).map(|(_, text)| *text))
    }

    #[test]
    fn captures_are_put_in_their_place() {
        for (template, captures, path) in [
            ("/v2/accounts/{id}", &[("id", "7")][..], "/v2/accounts/7"),
            ("/{b}/{a}/{b}", &[("a", "1"), ("b", "2")], "/2/1/2"),
            ("/static/{rest}", &[("rest", "a/b//c/")], "/static/a/b//c/"),
            ("/static/{rest}", &[], "/static/"),
            ("/caf\u{e9}/%7e", &[], "/caf%C3%A9/~"),
        ] {
            assert_eq!(render(template, captures).as_deref(), Ok(path), "{template}");
        }
    }

    #[test]
    fn a_capture_stays_what_it_is() {
        for (capture, path) in [
            ("a%2Fb%0D%0A%20", "/a%2Fb%0D%0A%20-"),
            ("%252F", "/%252F-"),
            ("a\r\nb c?d#e\0", "/a%0D%0Ab%20c%3Fd%23e%00-"),
            ("a\\b\u{e9}", "/a%5Cb%C3%A9-"),
            // What is left of an escape that a pattern cut in two begins no other one.
            ("x%", "/x%25-"),
            ("x%2", "/x%252-"),
        ] {
            assert_eq!(render("/{a}-", &[("a", capture)]).as_deref(), Ok(path), "{capture}");
        }
    }

    #[test]
    fn no_dot_segment_is_ever_made() {
        for (template, capture) in [
            ("/x/{a}/y", ".."),
            ("/x/.{a}", "."),
            ("/{a}", "b/.."),
            ("/x{a}", "/./"),
            ("/{a};", "."),
        ] {
            assert!(render(template, &[("a", capture)]).is_err(), "{template} {capture}");
        }
        assert_eq!(render("/.{a}", &[("a", ".b")]).as_deref(), Ok("/..b"));
    }

    #[test]
    fn a_refusal_says_where_and_what_to_write() {
        for (text, message) in [
            ("{a}", "it does not begin with a slash, at character 1 (write /{a})"),
            (
                "/a/{*rest}",
                "a template has names in its braces, nothing else, at character 4 (write {rest})",
            ),
            (
                "/a/{id:[0-9]+}",
                "a template has names in its braces, nothing else, at character 4 (write {id})",
            ),
            (
                "/a/../{id}",
                "it has a dot segment, at character 1 (write the path that is left once it is \
                 resolved)",
            ),
            (
                "/a?x={id}",
                "it has '?' in it, at character 3 (a query is no part of a path; write %3F for a \
                 question mark)",
            ),
        ] {
            let error = text.parse::<PathTemplate>().unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} is not a path template: {message}"));
        }
        let names: PathTemplate = "/{b}/{a}/{b}".parse().unwrap();
        assert_eq!(names.captures().collect::<Vec<_>>(), ["b", "a", "b"]);
    }
}
