//! Names there are free text and labels in metrics; names here are words.

use std::collections::{HashMap, HashSet};

use portway_plugin::value::Name;

use crate::resource::Meta;

/// Makes words of labels, each another one.
pub(super) struct Names {
    kind: &'static str,
    taken: HashSet<Name>,
    /// How often a word was wanted, so that a thousand equal labels are not compared with each
    /// other.
    wanted: HashMap<String, usize>,
}

impl Names {
    /// A label without a single letter or digit becomes the kind and a number.
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, taken: HashSet::new(), wanted: HashMap::new() }
    }

    /// The common fields for a resource with this label, which is kept where it is not the name.
    pub(super) fn meta(&mut self, label: &str) -> Meta {
        let label = label.trim();
        let name = self.name(label);
        let mut meta = Meta::named(name);
        if meta.name.as_str() != label && !label.is_empty() {
            meta.labels.insert(Meta::DISPLAY_LABEL, label);
        }
        meta
    }

    fn name(&mut self, label: &str) -> Name {
        let word = word(label).unwrap_or_else(|| self.kind.to_owned());
        let count = self.wanted.entry(word.clone()).or_default();
        loop {
            *count += 1;
            let text = if *count == 1 { word.clone() } else { format!("{word}-{count}") };
            let name: Name = text.parse().expect("a word and a number are a name");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// `Get account (v2)` → `Get-account-v2`.
fn word(label: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut word = String::new();
    for c in label.chars() {
        if allowed(c) {
            word.push(c);
        } else if !word.ends_with('-') {
            word.push('-');
        }
    }
    let word = word.trim_start_matches(['-', '_', '.']).trim_end_matches('-');
    // Room for a number at the end.
    let word: String = word.chars().take(Name::MAX - 20).collect();
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_words() {
        let mut names = Names::new("route");
        for (label, name, kept) in [
            ("get-account", "get-account", false),
            ("Get account (v2)", "Get-account-v2", true),
            ("Get account, v2", "Get-account-v2-2", true),
            ("get-account", "get-account-2", true),
            ("", "route", false),
            ("…", "route-2", true),
            ("--x", "x", true),
        ] {
            let meta = names.meta(label);
            assert_eq!(meta.name.as_str(), name, "{label}");
            assert_eq!(meta.labels.iter().count(), usize::from(kept), "{label}");
            if kept {
                assert_eq!(meta.label(), label);
            }
        }
        assert!(names.meta(&"x".repeat(1000)).name.as_str().len() <= Name::MAX);
    }
}
