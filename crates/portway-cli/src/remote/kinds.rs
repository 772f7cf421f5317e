//! The kinds of resources the gateway has, as it tells itself.

use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, Failure, Request};
use crate::terminal::UsageError;

/// A kind of resource.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Kind {
    pub(super) kind: String,
    pub(super) plural: String,
    #[serde(default)]
    pub(super) short: Option<String>,
    #[serde(default = "yes")]
    pub(super) namespaced: bool,
    /// What may be said about one.
    #[serde(default)]
    pub(super) schema: Value,
}

fn yes() -> bool {
    true
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Kinds(pub(super) Vec<Kind>);

impl Kinds {
    pub(super) async fn of(client: &Client) -> Result<Self, Failure> {
        let said = client.ask(Request::get("/kinds")).await?;
        let kinds = serde_json::from_value(said.data);
        let kinds = kinds.map_err(|_| Failure::Local("the kinds are not understood".to_owned()))?;
        Ok(Self(kinds))
    }

    /// The kind that `word` means.
    pub(super) fn find(&self, word: &str) -> Result<&Kind, UsageError> {
        let lower = word.to_lowercase();
        let names =
            |kind: &Kind| [Some(kind.kind.clone()), Some(kind.plural.clone()), kind.short.clone()];
        let fits = |kind: &&Kind| names(kind).iter().flatten().any(|name| *name == lower);
        if let Some(kind) = self.0.iter().find(fits) {
            return Ok(kind);
        }
        let all = self.0.iter().flat_map(names).flatten().collect::<Vec<_>>();
        let hint = nearest(&lower, all.iter().map(String::as_str)).map_or_else(
            || {
                let kinds = self.0.iter().map(|kind| kind.kind.as_str()).collect::<Vec<_>>();
                format!("there are {}", kinds.join(", "))
            },
            |near| format!("did you mean {near}?"),
        );
        Err(UsageError(format!("the gateway has no resources of kind {word:?}; {hint}")))
    }
}

/// The word that was probably meant.
pub(super) fn nearest<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = all.map(|one| (strsim::damerau_levenshtein(word, one), one));
    let (distance, one) = scored.min_by_key(|(distance, _)| *distance)?;
    // Half of a short word is another word.
    (distance <= 2 && distance * 2 < word.chars().count().max(2)).then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_several_names() {
        let kind = |kind: &str, plural: &str, short: Option<&str>| Kind {
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            short: short.map(str::to_owned),
            namespaced: true,
            schema: Value::Null,
        };
        let kinds =
            Kinds(vec![kind("route", "routes", Some("rt")), kind("plugin", "plugins", None)]);
        for word in ["route", "Routes", "rt"] {
            assert_eq!(kinds.find(word).unwrap().kind, "route");
        }
        let said = |word| kinds.find(word).unwrap_err().0;
        assert!(said("rotues").ends_with("did you mean routes?"), "{}", said("rotues"));
        assert!(said("xyzzy").ends_with("there are route, plugin"), "{}", said("xyzzy"));
    }
}
