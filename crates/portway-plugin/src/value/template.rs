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
