//! SPDX licence expressions, as they stand in a `Cargo.toml`: parsed, then judged against a list of
//! welcome licences. `A OR B` leaves the choice to us, `A AND B` binds us to both.

use std::{fmt, iter::Peekable, str::FromStr, vec};

/// A licence expression. `WITH` binds tighter than `AND`, and `AND` tighter than `OR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// One licence, with its exception if it has one: `Apache-2.0 WITH LLVM-exception`.
    Licence(String),
    /// Both bind.
    Both(Box<Expression>, Box<Expression>),
    /// Either will do.
    Either(Box<Expression>, Box<Expression>),
}

/// Text that is no licence expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidExpression {
    text: String,
    expected: &'static str,
}

impl Expression {
    /// Whether somebody who accepts the licences of `welcome` may use what is under this one.
    pub(super) fn is_met_by(&self, welcome: &[&str]) -> bool {
        match self {
            Self::Licence(name) => welcome.contains(&name.as_str()),
            Self::Both(left, right) => left.is_met_by(welcome) && right.is_met_by(welcome),
            Self::Either(left, right) => left.is_met_by(welcome) || right.is_met_by(welcome),
        }
    }
}

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(text: &str) -> Result<Self, InvalidExpression> {
        let mut tokens = tokens(text).into_iter().peekable();
        let invalid = |expected| InvalidExpression { text: text.to_owned(), expected };
        let expression = either(&mut tokens).map_err(invalid)?;
        match tokens.next() {
            None => Ok(expression),
            Some(_) => Err(invalid("AND, OR or the end")),
        }
    }
}

impl fmt::Display for InvalidExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no SPDX expression: expected {}", self.text, self.expected)
    }
}

impl std::error::Error for InvalidExpression {}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    With,
    Name(String),
}

type Tokens = Peekable<vec::IntoIter<Token>>;

/// Splits the text. `/` is how crates of old wrote `OR`.
fn tokens(text: &str) -> Vec<Token> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " / ");
    let token = |word: &str| match word {
        "(" => Token::Open,
        ")" => Token::Close,
        "AND" => Token::And,
        "OR" | "/" => Token::Or,
        "WITH" => Token::With,
        name => Token::Name(name.to_owned()),
    };
    spaced.split_whitespace().map(token).collect()
}

fn either(tokens: &mut Tokens) -> Result<Expression, &'static str> {
    let mut left = both(tokens)?;
    while tokens.next_if_eq(&Token::Or).is_some() {
        left = Expression::Either(Box::new(left), Box::new(both(tokens)?));
    }
    Ok(left)
}

fn both(tokens: &mut Tokens) -> Result<Expression, &'static str> {
    let mut left = single(tokens)?;
    while tokens.next_if_eq(&Token::And).is_some() {
        left = Expression::Both(Box::new(left), Box::new(single(tokens)?));
    }
    Ok(left)
}

fn single(tokens: &mut Tokens) -> Result<Expression, &'static str> {
    match tokens.next() {
        Some(Token::Open) => {
            let inner = either(tokens)?;
            match tokens.next() {
                Some(Token::Close) => Ok(inner),
                _ => Err("a closing parenthesis"),
            }
        }
        Some(Token::Name(licence)) => {
            if tokens.next_if_eq(&Token::With).is_none() {
                return Ok(Expression::Licence(licence));
            }
            match tokens.next() {
                Some(Token::Name(exception)) => {
                    Ok(Expression::Licence(format!("{licence} WITH {exception}")))
                }
                _ => Err("an exception after WITH"),
            }
        }
        _ => Err("a licence"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELCOME: &[&str] = &["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];

    fn met(text: &str) -> bool {
        text.parse::<Expression>().unwrap().is_met_by(WELCOME)
    }

    fn refused(text: &str) -> String {
        text.parse::<Expression>().unwrap_err().to_string()
    }

    #[test]
    fn one_licence() {
        assert!(met("MIT"));
        assert!(!met("GPL-3.0-only"));
        assert!(!met("mit"), "identifiers are spelled as SPDX spells them");
    }

    #[test]
    fn or_leaves_the_choice() {
        assert!(met("MIT OR GPL-3.0-only"));
        assert!(met("GPL-3.0-only OR LGPL-2.1-or-later OR ISC"));
        assert!(!met("GPL-3.0-only OR LGPL-2.1-or-later"));
    }

    #[test]
    fn and_binds_to_both() {
        assert!(met("MIT AND ISC"));
        assert!(!met("MIT AND GPL-3.0-only"));
        assert!(!met("GPL-3.0-only AND MIT"));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(met("MIT OR ISC AND GPL-3.0-only"));
        assert!(!met("(MIT OR ISC) AND GPL-3.0-only"));
        assert!(met("GPL-3.0-only AND ISC OR MIT"));
        assert!(!met("GPL-3.0-only AND (ISC OR MIT)"));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(met("GPL-2.0-only OR Apache-2.0 WITH LLVM-exception"));
        assert!(!met("MIT WITH LLVM-exception"));
        assert!(!met("Apache-2.0 WITH Classpath-exception-2.0"));
    }

    #[test]
    fn a_slash_is_how_old_crates_write_or() {
        assert!(met("GPL-3.0-only/MIT"));
        assert!(met("GPL-3.0-only / MIT"));
    }

    #[test]
    fn parentheses_nest() {
        assert!(met("((MIT) AND (ISC OR (GPL-3.0-only)))"));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        assert_eq!(refused(""), "`` is no SPDX expression: expected a licence");
        assert_eq!(refused("MIT OR"), "`MIT OR` is no SPDX expression: expected a licence");
        assert_eq!(
            refused("(MIT OR ISC"),
            "`(MIT OR ISC` is no SPDX expression: expected a closing parenthesis"
        );
        assert_eq!(
            refused("MIT ISC"),
            "`MIT ISC` is no SPDX expression: expected AND, OR or the end"
        );
        assert_eq!(refused("MIT)"), "`MIT)` is no SPDX expression: expected AND, OR or the end");
        assert_eq!(
            refused("Apache-2.0 WITH OR MIT"),
            "`Apache-2.0 WITH OR MIT` is no SPDX expression: expected an exception after WITH"
        );
    }
}
