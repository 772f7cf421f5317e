//! Several documents become one configuration: each resource and each setting has one owner.

use std::collections::BTreeSet;

use portway_plugin::{Problem, value::Quoted};

use crate::{
    Loaded,
    load::Dialect,
    places::Merging,
    resource::{Config, Kind},
};

/// Puts what several sources say together. Names that two of them use are found by the check,
/// which sees all of them.
///
/// # Errors
/// The settings of the process (`log`, `probes`, `admin`, …) that two of them have.
pub fn merge(parts: &[&Loaded]) -> Result<Loaded, Vec<Problem>> {
    let (whole, problems) = join(parts.iter().copied().cloned().collect());
    if problems.is_empty() { Ok(whole) } else { Err(problems) }
}

/// What several say together, and what two of them say.
pub(crate) fn join(parts: Vec<Loaded>) -> (Loaded, Vec<Problem>) {
    let (mut whole, mut merging, mut problems) =
        (Loaded::default(), Merging::default(), Vec::new());
    for mut part in parts {
        merging.add(part.places.clone(), |kind| part.config.count(kind));
        for key in &part.settings {
            match merging.key(key) {
                None => take(key, &mut whole.config, &mut part.config),
                Some(owner) => {
                    let message =
                        format!("{} is said twice: here, and by {}", Quoted(key), owner.owner(key));
                    let hint = "the settings of the process stand in one place";
                    let mut problem = Problem::new("owned_elsewhere", message).at(key).hint(hint);
                    part.places.locate(&mut problem);
                    problems.push(problem);
                }
            }
        }
        whole.config.append(&mut part.config);
        whole.settings.extend(part.settings);
        whole.files.extend(part.files);
        part.used.into_iter().for_each(|(id, at)| {
            whole.used.entry(id).or_insert(at);
        });
        whole.warnings.extend(part.warnings);
        if part.dialect != Dialect::Native {
            whole.dialect = part.dialect;
        }
        whole.catalog = part.catalog;
    }
    whole.places = merging.done();
    (whole, problems)
}

macro_rules! settings {
    ($($key:ident)*) => {
        /// The keys of a configuration that are no lists of resources.
        pub(crate) const SETTINGS: &[&str] = &[$(stringify!($key)),*];

        /// The keys of those settings that are not what they are by default.
        pub(crate) fn said(config: &Config) -> BTreeSet<String> {
            let default = Config::default();
            let said = [$((stringify!($key), config.$key != default.$key)),*];
            said.into_iter().filter(|(_, said)| *said).map(|(key, _)| key.to_owned()).collect()
        }

        /// Takes one of them over.
        pub(crate) fn take(key: &str, whole: &mut Config, part: &mut Config) {
            match key {
                $(stringify!($key) => std::mem::swap(&mut whole.$key, &mut part.$key),)*
                _ => {}
            }
        }
    };
}

settings! { global_plugins admin store probes log access_log resolver shutdown stream_drain }

/// Whether `key` of a document is a list of resources.
pub(crate) fn is_list(key: &str) -> bool {
    Kind::ALL.iter().any(|kind| kind.plural() == key)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{Catalog, NoLookup, load};

    fn document(text: &str, file: &str) -> Loaded {
        load(text, file, &NoLookup, &Catalog::default()).unwrap()
    }

    #[test]
    fn every_key_is_a_list_or_a_setting() {
        let Value::Object(keys) = serde_json::to_value(Config::default()).unwrap() else {
            panic!("a configuration is a map")
        };
        for key in keys.keys() {
            assert!(is_list(key) || SETTINGS.contains(&key.as_str()), "{key}");
        }
    }

    #[test]
    fn paths_lead_to_the_part_they_came_from() {
        let a = document("services: [{name: a, url: 'http://a'}]", "a.yaml");
        let b = document(
            "\nlog: {level: debug}\nservices: [{name: b, url: 'http://b'}, {name: a, url: 'http://c'}]",
            "b.yaml",
        );
        let whole = merge(&[&a, &b]).unwrap();
        let place = |path: &str| {
            let place = whole.places.place(path).unwrap();
            format!("{}:{}:{}", place.file, place.line, place.column)
        };
        assert_eq!(place("services[0].url"), "a.yaml:1:27");
        assert_eq!(place("services[1].url"), "b.yaml:3:27");
        assert_eq!(place("log.level"), "b.yaml:2:14");
        assert_eq!(whole.places.owner("services[2]").as_str(), "file:b.yaml");
        let problems = whole.check().unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().contains("a.yaml: services[0], line 1"), "{}", problems[0]);
        assert_eq!(problems[0].place.as_ref().unwrap().file, "b.yaml");
    }

    #[test]
    fn a_setting_has_one_owner() {
        let a = document("log: {level: info}", "a.yaml");
        let b = document("log: {level: info}", "b.yaml");
        let problems = merge(&[&a, &b]).unwrap_err();
        assert_eq!(problems[0].code, "owned_elsewhere");
        assert!(problems[0].message.contains("file:a.yaml"), "{}", problems[0]);
    }
}
