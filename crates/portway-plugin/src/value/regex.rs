//! Regular expressions that run in linear time and compare whole values.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use super::text::{InvalidValue, Quoted, text_form};

/// A regular expression over a whole value, in the syntax of the `regex` crate: no backreferences
/// and no look-around, so that it runs in time linear in the value whatever the value is. Two are
/// equal when their texts are.
#[derive(Clone)]
pub struct Regex {
    source: Arc<str>,
    // Compiled once, when the text was checked. A clone shares the program and has a scratch
    // space of its own, which is what `compile` hands out.
    whole: ::regex::Regex,
}

impl Regex {
    /// The most memory a compiled expression may take. `\w{1000}{1000}` wants more.
    const PROGRAM_LIMIT: usize = 1 << 20;

    /// The longest text.
    const MAX: usize = 4096;

    /// The text as it was written, without anchors.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The expression anchored at both ends. Every call hands out a scratch space of its own, so
    /// that cores do not meet in one.
    #[must_use]
    pub fn compile(&self) -> ::regex::Regex {
        self.whole.clone()
    }

    /// Whether the whole of `value` fits. For checks; the request path compiles first.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

impl FromStr for Regex {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() > Self::MAX {
            let (length, max) = (text.len(), Self::MAX);
            return Err(InvalidValue::new(format!(
                "the regular expression {} is too long: {length} bytes, at most {max}",
                Quoted(text)
            )));
        }
        if let Some(known) = recent(|recent| recent.iter().find(|r| &*r.source == text).cloned()) {
            return Ok(known);
        }
        // First on its own: `a)|(b` would be valid once it is wrapped.
        parse(text).map_err(|error| refusal(text, &error))?;
        let whole = build(&format!(r"\A(?:{text})\z")).map_err(|error| refusal(text, &error))?;
        let regex = Self { source: text.into(), whole };
        recent(|recent| {
            recent.truncate(RECENT - 1);
            recent.push_front(regex.clone());
        });
        Ok(regex)
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.source).finish()
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

impl Hash for Regex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

text_form!(Regex, "portway-regex", "a regular expression", ["v[0-9]+", "beta|canary"]);

/// How many expressions are remembered.
const RECENT: usize = 16;

/// What this thread compiled last. Thousands of routes have the same few expressions, and each is
/// read twice: when a document is checked, and when its values are made. Compiling takes some
/// ten microseconds and as many kilobytes; remembering saves both, and changes nothing else.
fn recent<T>(with: impl FnOnce(&mut VecDeque<Regex>) -> T) -> T {
    thread_local! {
        static COMPILED: RefCell<VecDeque<Regex>> = const { RefCell::new(VecDeque::new()) };
    }
    COMPILED.with_borrow_mut(with)
}

fn parse(text: &str) -> Result<(), ::regex::Error> {
    match regex_syntax::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(::regex::Error::Syntax(error.to_string())),
    }
}

fn build(text: &str) -> Result<::regex::Regex, ::regex::Error> {
    ::regex::RegexBuilder::new(text).size_limit(Regex::PROGRAM_LIMIT).build()
}

fn refusal(text: &str, error: &::regex::Error) -> InvalidValue {
    let refused = |why: &str| {
        InvalidValue::new(format!("{} is not a regular expression: {why}", Quoted(text)))
            .code("bad_regex")
    };
    match error {
        ::regex::Error::CompiledTooBig(limit) => {
            refused(&format!("compiled it takes more than {limit} bytes"))
                .hint("use smaller repetitions, or [0-9] and [a-z] for \\d and \\w")
        }
        error => {
            // The last line of the crate's message is the reason; the lines before draw it.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            let refused = refused(reason);
            if reason.contains("look-around") || reason.contains("backreferences") {
                refused.hint("expressions run in linear time, so these are not supported")
            } else {
                refused
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Regex>().unwrap_err().to_string()
    }

    #[test]
    fn it_compares_whole_values() {
        let regex: Regex = "a|bc".parse().unwrap();
        let whole = regex.compile();
        assert!(whole.is_match("a") && whole.is_match("bc"));
        assert!(!whole.is_match("abc") && !whole.is_match("a\n"));
        assert_eq!(regex, "a|bc".parse().unwrap());
    }

    #[test]
    fn a_blow_up_is_linear_and_a_giant_is_refused() {
        let regex: Regex = "(a+)+$".parse().unwrap();
        assert!(!regex.is_match(&format!("{}b", "a".repeat(50_000))));
        assert!(refused(r"(\w{1000}){1000}").contains("compiled it takes more than"));
        assert!(refused(&"a".repeat(5000)).contains("is too long"));
    }

    #[test]
    fn a_refusal_has_the_reason_in_one_line() {
        assert_eq!(refused("a("), "\"a(\" is not a regular expression: unclosed group");
        assert!(refused("a)|(b").contains("unopened group"));
        assert!(refused(r"(a)\1").contains("linear time"));
        assert!(refused("(?=a)").contains("linear time"));
        assert!(refused("(?x)a # end").contains("unclosed group"));
    }
}
