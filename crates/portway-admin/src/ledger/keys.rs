//! Where in the store what is kept.

use portway_config::ResourceId;
use portway_store::{Key, Prefix};

const ROOT: &str = "/portway";

/// The number of the last change. Every change compares it: of two at once, one wins.
pub(crate) fn revision() -> Key {
    key(format!("{ROOT}/revision"))
}

/// All resources.
pub(crate) fn resources() -> Prefix {
    prefix(format!("{ROOT}/resources/"))
}

/// One resource.
pub(crate) fn resource(id: &ResourceId) -> Key {
    key(format!("{ROOT}/resources/{id}"))
}

/// The change of a number, in pieces. As many digits as keep numbers in order.
pub(crate) fn record(number: u64) -> Prefix {
    prefix(format!("{ROOT}/history/{number:020}/"))
}

/// All changes, in pieces.
pub(crate) fn history() -> Prefix {
    prefix(format!("{ROOT}/history/"))
}

/// The number of the change that a key has a piece of.
pub(crate) fn number(piece: &Key) -> Option<u64> {
    let below = piece.as_str().strip_prefix(history().as_str())?;
    below.split('/').next()?.parse().ok()
}

/// The documents of a collection.
pub(crate) fn documents(collection: &ResourceId) -> Prefix {
    let ResourceId { namespace, name, .. } = collection;
    prefix(format!("{ROOT}/documents/{namespace}/{name}/"))
}

/// All tokens.
pub(crate) fn tokens() -> Prefix {
    prefix(format!("{ROOT}/tokens/"))
}

/// The ids of tokens, by name.
pub(crate) fn token_names() -> Prefix {
    prefix(format!("{ROOT}/token-names/"))
}

fn key(path: String) -> Key {
    // Names of resources are words, at most 253 bytes long: a kind and two of them fit.
    Key::new(path).expect("names make keys")
}

fn prefix(path: String) -> Prefix {
    Prefix::new(path).expect("names make prefixes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_a_change_says_its_number() {
        let piece = record(1234).key("00000000").unwrap();
        assert_eq!((number(&piece), number(&revision())), (Some(1234), None));
    }
}
