//! Patterns: paths with placeholders.

use std::{fmt, str::FromStr};

use super::{
    AmbiguousPath, Flaw, Kind, PathPrefix, PathShape, Piece, check_depth, check_dot_segments,
    literal_text, pieces,
};
use crate::value::{InvalidValue, Quoted, Regex, text::text_form};

/// A path with placeholders: `/account/{id}`, `/range/{from}-{to}`, `/orders/{id:[0-9]+}`,
/// `/files/{*rest}`. Its literal text is in its normal form; `/a` and `/a/` are two patterns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    segments: Box<[Segment]>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// This text, which is empty between two slashes and behind the last one.
    Literal(Box<str>),
    /// `{name}`: any text but none.
    Param(Box<str>),
    /// `{name:regex}`: text that fits the expression, but none.
    Regex {
        /// What the text is called.
        name: Box<str>,
        /// What it must fit.
        regex: Regex,
    },
    /// `{a}-{b}`: several parts.
    Parts(Parts),
    /// `{*name}`: all that follows the slash, be it nothing. Always the last one.
    Rest(Box<str>),
}

/// A segment of several parts. A placeholder takes as little text as it can, but one character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parts {
    parts: Box<[Part]>,
    whole: Option<Regex>,
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// This text.
    Literal(Box<str>),
    /// Any text but none.
    Param(Box<str>),
    /// Text that fits the expression.
    Regex {
        /// What the text is called.
        name: Box<str>,
        /// What it must fit.
        regex: Regex,
    },
}

impl PathPattern {
    /// The segments. There is at least one: `/` has one that is empty.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the placeholders, in order. No name comes twice.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|segment| {
            let (one, several) = match segment {
                Segment::Literal(_) => (None, &[][..]),
                Segment::Param(name) | Segment::Regex { name, .. } | Segment::Rest(name) => {
                    (Some(&**name), &[][..])
                }
                Segment::Parts(parts) => (None, parts.as_slice()),
            };
            one.into_iter().chain(several.iter().filter_map(Part::name))
        })
    }

    /// What it matches, whatever its placeholders are called.
    #[must_use]
    pub fn shape(&self) -> PathShape {
        PathShape::pattern(Shown { segments: &self.segments, names: false }.to_string())
    }

    /// The same pattern below a prefix.
    #[must_use]
    pub fn prefixed(&self, prefix: &PathPrefix) -> Self {
        let literals = prefix.segments().map(|text| Segment::Literal(text.into()));
        Self { segments: literals.chain(self.segments.iter().cloned()).collect() }
    }
}

impl Parts {
    /// The parts: at least two, and never two of literal text side by side.
    #[must_use]
    pub fn as_slice(&self) -> &[Part] {
        &self.parts
    }

    /// One expression for the whole segment, when a part is one. The groups of its parts stand in
    /// their order, each before the groups inside it.
    #[must_use]
    pub fn whole(&self) -> Option<&Regex> {
        self.whole.as_ref()
    }

    fn new(parts: Vec<Part>, at: usize) -> Result<Self, Flaw> {
        if !parts.iter().any(|part| matches!(part, Part::Regex { .. })) {
            return Ok(Self { parts: parts.into(), whole: None });
        }
        let mut whole = String::new();
        for part in &parts {
            match part {
                Part::Literal(text) => whole.push_str(&::regex::escape(text)),
                Part::Param(_) => whole.push_str("([^/]+?)"),
                Part::Regex { regex, .. } => {
                    whole.push('(');
                    whole.push_str(regex.as_str());
                    whole.push(')');
                }
            }
        }
        match whole.parse() {
            Ok(whole) => Ok(Self { parts: parts.into(), whole: Some(whole) }),
            Err(error) => Err(Flaw::new(at, format!("its parts do not make one: {error}"))),
        }
    }
}

impl Part {
    /// What a placeholder is called.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Param(name) | Self::Regex { name, .. } => Some(name),
        }
    }
}

impl FromStr for PathPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse(text).map_err(|flaw| flaw.of(text, "a path pattern"))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown { segments: &self.segments, names: true }.fmt(f)
    }
}

text_form!(
    PathPattern,
    "portway-path-pattern",
    "a path pattern",
    ["/account/{id}", "/files/{*rest}", "/orders/{id:[0-9]+}"]
);

/// The text of a pattern, with the names of its placeholders or without.
struct Shown<'a> {
    segments: &'a [Segment],
    names: bool,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name| if self.names { name } else { "" };
        for segment in self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Param(param) => write!(f, "/{{{}}}", name(param))?,
                Segment::Regex { name: param, regex } => {
                    write!(f, "/{{{}:{regex}}}", name(param))?;
                }
                Segment::Rest(rest) => write!(f, "/{{*{}}}", name(rest))?,
                Segment::Parts(parts) => {
                    f.write_str("/")?;
                    for part in parts.as_slice() {
                        match part {
                            Part::Literal(text) => f.write_str(text)?,
                            Part::Param(param) => write!(f, "{{{}}}", name(param))?,
                            Part::Regex { name: param, regex } => {
                                write!(f, "{{{}:{regex}}}", name(param))?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<PathPattern, Flaw> {
    let mut segments = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    // The parts of the segment that is being read, and where it begins.
    let (mut parts, mut begin) = (Vec::new(), 1);
    let mut rest = None;
    for piece in pieces(text)? {
        if let Some(at) = rest {
            return Err(Flaw::new(at, "something follows the placeholder for all that follows")
                .hint("put {*name} at the end, or use {name} for one segment"));
        }
        match piece {
            Piece::Literal { text: literal, at } => {
                let mut end = at;
                for (count, piece) in literal.split('/').enumerate() {
                    if count > 0 {
                        // Before the first slash there is no segment.
                        if end > 0 {
                            segments.push(segment(std::mem::take(&mut parts), begin)?);
                        }
                        end += 1;
                        begin = end;
                    }
                    if !piece.is_empty() {
                        parts.push(Part::Literal(literal_text(end, piece)?.into()));
                    }
                    end += piece.len();
                }
            }
            Piece::Placeholder { name, kind, at } => {
                if names.contains(&name) {
                    return Err(Flaw::new(at, format!("it has two placeholders {{{name}}}"))
                        .hint("give each a name of its own"));
                }
                names.push(name);
                if kind == Kind::Rest {
                    if !parts.is_empty() {
                        return Err(Flaw::new(at, format!("{{*{name}}} has text before it"))
                            .hint("put a slash before it, or use {name} for a part"));
                    }
                    segments.push(Segment::Rest(name.into()));
                    rest = Some(at);
                } else {
                    let part = placeholder(name, kind)?;
                    if let (Some(Part::Param(before)), Part::Param(_)) = (parts.last(), &part) {
                        let why = format!("nothing stands between {{{before}}} and {{{name}}}");
                        return Err(Flaw::new(at, why).hint("put text between them"));
                    }
                    parts.push(part);
                }
            }
        }
    }
    if rest.is_none() {
        segments.push(segment(parts, begin)?);
    }
    check_depth(segments.len())?;
    Ok(PathPattern { segments: segments.into() })
}

fn placeholder(name: &str, kind: Kind<'_>) -> Result<Part, Flaw> {
    let Kind::Regex(text, at) = kind else { return Ok(Part::Param(name.into())) };
    let regex = text.parse::<Regex>().map_err(|InvalidValue { message, hint, .. }| {
        let flaw = Flaw::new(at, message);
        match hint {
            Some(hint) => flaw.hint(hint),
            None => flaw,
        }
    })?;
    Ok(Part::Regex { name: name.into(), regex })
}

/// The segment that begins at `at` and is made of these parts.
fn segment(mut parts: Vec<Part>, at: usize) -> Result<Segment, Flaw> {
    if parts.len() > 1 {
        return Parts::new(parts, at).map(Segment::Parts);
    }
    Ok(match parts.pop() {
        None => Segment::Literal("".into()),
        Some(Part::Param(name)) => Segment::Param(name),
        Some(Part::Regex { name, regex }) => Segment::Regex { name, regex },
        Some(Part::Literal(text)) => {
            match check_dot_segments(&text) {
                Ok(()) => {}
                Err(AmbiguousPath::DotSegment) => {
                    return Err(Flaw::new(at, format!("a segment is {}", Quoted(&text)))
                        .hint("write the path that is left once it is resolved"));
                }
                Err(reason) => return Err(Flaw::ambiguous(at, reason)),
            }
            if matches!(&*text, "*" | "**") {
                return Err(Flaw::new(at, "a star stands for nothing but itself").hint(
                    "write {*rest} for all that follows, {name} for one segment, or match the \
                     star with `exact`",
                ));
            }
            Segment::Literal(text)
        }
    })
}
