//! Domains: what a host belongs to.

use std::cmp::Reverse;

use hashbrown::HashMap;
use portway_config::Domain;
use portway_plugin::value::DomainForm;

use super::{
    hosts::{LONGEST_NAME, host_name},
    regexes::{Originals, Programs, RegexId, RegexTable},
};

/// A value for each domain, found by hosts. Of several domains that have a host, the one of the
/// highest priority is meant, then the one with the narrowest pattern, then the first one.
#[derive(Debug)]
pub(crate) struct Domains<T> {
    exact: HashMap<Box<str>, Rank>,
    prefix: ByLength,
    suffix: ByLength,
    /// In the order of their ranks.
    contains: Box<[(Box<str>, Rank)]>,
    regexes: Box<[(RegexId, Rank)]>,
    programs: Programs,
    /// Of each pattern, by its rank.
    values: Box<[T]>,
}

/// How many patterns come before one.
type Rank = u32;

/// Beginnings or ends of hosts. A host is looked up once for each length there is.
#[derive(Debug, Default)]
struct ByLength {
    lengths: Vec<usize>,
    ranks: HashMap<Box<str>, Rank>,
}

impl<T: Clone> Domains<T> {
    /// The order of the domains is that of their declaration.
    #[expect(single_use_lifetimes, reason = "the language wants a name for it here")]
    pub(crate) fn new<'a>(domains: impl IntoIterator<Item = (&'a Domain, T)>) -> Self {
        let mut patterns = Vec::new();
        for (domain, value) in domains {
            let each = domain.patterns.iter();
            patterns.extend(each.map(|pattern| (domain.priority, pattern, value.clone())));
        }
        // A stable sort: of what is equal, the one declared first.
        patterns.sort_by_key(|(priority, pattern, _)| (Reverse(*priority), pattern.rank()));
        let mut originals = Originals::default();
        let mut programs = RegexTable::new(&mut originals);
        let (mut exact, mut contains, mut regexes) = (HashMap::new(), Vec::new(), Vec::new());
        let (mut prefix, mut suffix) = (ByLength::default(), ByLength::default());
        for ((_, pattern, _), rank) in patterns.iter().zip(0_u32..) {
            match pattern.form() {
                DomainForm::Exact(host) => {
                    exact.entry(host.clone()).or_insert(rank);
                }
                DomainForm::Prefix(text) => prefix.add(text, rank),
                DomainForm::Suffix(text) => suffix.add(text, rank),
                DomainForm::Contains(text) => contains.push((text.clone(), rank)),
                DomainForm::Regex(regex) => regexes.push((programs.add(regex), rank)),
            }
        }
        let programs = programs.finish();
        Self {
            exact,
            prefix,
            suffix,
            contains: contains.into(),
            regexes: regexes.into(),
            programs,
            values: patterns.into_iter().map(|(_, _, value)| value).collect(),
        }
    }
}

impl<T> Domains<T> {
    /// The expressions of the patterns, for one core.
    pub(crate) fn programs(&self) -> Programs {
        self.programs.of_core()
    }

    /// The value of the domain that has a host, be it with a port, in upper case or with a dot at
    /// its end. `programs` are those of the core.
    pub(crate) fn find(&self, authority: &str, programs: &Programs) -> Option<&T> {
        let host = host_name(authority);
        if host.len() > LONGEST_NAME {
            return None;
        }
        let mut best = self.exact.get(&*host).copied();
        best = least(best, self.prefix.find(|length| host.get(..length)));
        best = least(best, self.suffix.find(|length| host.get(host.len().checked_sub(length)?..)));
        let before = |rank: Rank, best: Option<Rank>| best.is_none_or(|best| rank < best);
        let mut contains = self.contains.iter().take_while(|(_, rank)| before(*rank, best));
        best = contains.find(|(text, _)| host.contains(&**text)).map(|(_, rank)| *rank).or(best);
        let mut regexes = self.regexes.iter().take_while(|(_, rank)| before(*rank, best));
        let found = regexes.find(|(regex, _)| programs.get(*regex).is_match(&host));
        best = found.map(|(_, rank)| *rank).or(best);
        self.values.get(best? as usize)
    }

    /// The same with expressions that all cores share, where it is not asked for often.
    pub(crate) fn find_shared(&self, authority: &str) -> Option<&T> {
        self.find(authority, &self.programs)
    }
}

fn least(one: Option<Rank>, other: Option<Rank>) -> Option<Rank> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl ByLength {
    fn add(&mut self, text: &str, rank: Rank) {
        if !self.lengths.contains(&text.len()) {
            self.lengths.push(text.len());
        }
        self.ranks.entry(text.into()).or_insert(rank);
    }

    /// The least rank of what `part` gives for a length.
    fn find<'a>(&self, part: impl Fn(usize) -> Option<&'a str>) -> Option<Rank> {
        let known = |length: &usize| self.ranks.get(part(*length)?).copied();
        self.lengths.iter().filter_map(known).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domains(lines: &[(i32, Vec<&str>)]) -> Vec<Domain> {
        let domain = |(number, (priority, patterns)): (usize, &(i32, Vec<&str>))| {
            let text = serde_json::json!({
                "name": format!("d{number}"), "priority": priority, "patterns": patterns,
            });
            serde_json::from_value(text).unwrap()
        };
        lines.iter().enumerate().map(domain).collect()
    }

    fn found(domains: &[Domain], host: &str) -> Option<usize> {
        let table = Domains::new(domains.iter().zip(0..));
        let found = table.find(host, &table.programs()).copied();
        assert_eq!(found, table.find_shared(host).copied());
        found
    }

    #[test]
    fn priority_then_the_narrowest_pattern_then_the_longest_one() {
        let domains = domains(&[
            (0, vec!["/.*\\.example\\.com/"]),
            (0, vec!["*shop*"]),
            (0, vec!["*.example.com"]),
            (0, vec!["*.shop.example.com", "shop.*"]),
            (0, vec!["shop.example.com"]),
            (1, vec!["high.*"]),
            (-1, vec!["*"]),
        ]);
        for (host, domain) in [
            ("shop.example.com", Some(4)),
            ("SHOP.example.com.:8443", Some(4)),
            ("a.shop.example.com", Some(3)),
            ("shop.org", Some(3)),
            ("www.example.com", Some(2)),
            ("workshop.org", Some(1)),
            ("high.shop.example.com", Some(5)),
            ("elsewhere", Some(6)),
            ("", Some(6)),
        ] {
            assert_eq!(found(&domains, host), domain, "{host}");
        }
    }

    #[test]
    fn hosts_of_nobody() {
        let domains = domains(&[(0, vec!["a.example", "/b[0-9]+/", "[::1]"])]);
        for host in ["", "example", "b", "xb1", "[::2]", "A.example.org"] {
            assert_eq!(found(&domains, host), None, "{host}");
        }
        assert_eq!(found(&domains, "[0:0::1]:80"), Some(0));
        assert_eq!(found(&domains, &format!("{}a.example", "a.".repeat(200))), None);
        assert_eq!(found(&[], "a.example"), None);
    }

    /// The order that is documented, word for word.
    fn expected(domains: &[Domain], host: &str) -> Option<usize> {
        let patterns = domains.iter().enumerate().flat_map(|(number, domain)| {
            domain.patterns.iter().map(move |pattern| (domain.priority, pattern, number))
        });
        let mut taking: Vec<_> = patterns.filter(|(_, pattern, _)| pattern.takes(host)).collect();
        taking.sort_by_key(|(priority, pattern, _)| {
            let kind = match pattern.form() {
                DomainForm::Exact(_) => 0,
                DomainForm::Prefix(_) | DomainForm::Suffix(_) => 1,
                DomainForm::Contains(_) => 2,
                DomainForm::Regex(_) => 3,
            };
            (Reverse(*priority), kind, Reverse(pattern.as_str().len()))
        });
        taking.first().map(|(_, _, number)| *number)
    }

    const PATTERNS: &[&str] = &[
        "a.b",
        "a.b.c",
        "b.c",
        "c",
        "a.*",
        "a.b*",
        "a*",
        "*.c",
        "*.b.c",
        "*b.c",
        "*c",
        "*b*",
        "*.b.*",
        "*a.b*",
        "*",
        "/a.*/",
        "/[ab]\\.[bc]/",
        "/.*c/",
    ];

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn the_table_agrees_with_the_documented_precedence(
            lines in prop::collection::vec(
                (-1..2, prop::collection::vec(prop::sample::select(PATTERNS), 1..4)),
                0..8,
            ),
            hosts in prop::collection::vec("[abc](\\.[abc]){0,3}", 16),
        ) {
            let domains = domains(&lines);
            for host in hosts {
                prop_assert_eq!(found(&domains, &host), expected(&domains, &host), "{}", host);
            }
        }
    }
}
