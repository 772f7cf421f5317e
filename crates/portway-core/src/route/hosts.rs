//! Hosts and the tables of their routes.

use std::net::Ipv6Addr;

use hashbrown::HashMap;
use portway_plugin::value::HostPattern;
use smallvec::SmallVec;

/// A value for each host pattern.
#[derive(Debug)]
pub(crate) struct Hosts<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows `*.`.
    suffix: HashMap<Box<str>, T>,
    any: Option<T>,
}

/// A set of hosts that a configuration lists.
#[derive(Debug, Default)]
pub(crate) struct HostSet(Hosts<()>);

impl HostSet {
    pub(crate) fn new(patterns: &[HostPattern]) -> Self {
        let mut hosts = Hosts::default();
        patterns.iter().for_each(|pattern| *hosts.entry(Some(pattern)) = ());
        Self(hosts)
    }

    /// Whether `host` is in it, be it with a port, in upper case or with a dot at its end.
    pub(crate) fn contains(&self, host: &str) -> bool {
        !self.0.lookup(host).is_empty()
    }
}

/// Names longer than DNS allows are below no suffix: looking them up would cost the square of
/// their length.
pub(super) const LONGEST_NAME: usize = 255;

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), suffix: HashMap::new(), any: None }
    }
}

impl<T> Hosts<T> {
    /// The value for a pattern; `None` is any host.
    pub(crate) fn entry(&mut self, pattern: Option<&HostPattern>) -> &mut T
    where
        T: Default,
    {
        let Some(pattern) = pattern else { return self.any.get_or_insert_default() };
        match (pattern.exact(), pattern.suffix()) {
            (Some(host), _) => self.exact.entry(host.into()).or_default(),
            (None, Some(suffix)) => self.suffix.entry(suffix.into()).or_default(),
            (None, None) => self.any.get_or_insert_default(),
        }
    }

    /// What [`Self::entry`] was given for a pattern.
    pub(super) fn get(&self, pattern: Option<&HostPattern>) -> Option<&T> {
        let Some(pattern) = pattern else { return self.any.as_ref() };
        match (pattern.exact(), pattern.suffix()) {
            (Some(host), _) => self.exact.get(host),
            (None, Some(suffix)) => self.suffix.get(suffix),
            (None, None) => self.any.as_ref(),
        }
    }

    /// The value for any host.
    pub(crate) fn any(&self) -> Option<&T> {
        self.any.as_ref()
    }

    pub(super) fn map<U>(self, mut map: impl FnMut(T) -> U) -> Hosts<U> {
        Hosts {
            exact: self.exact.into_iter().map(|(host, value)| (host, map(value))).collect(),
            suffix: self.suffix.into_iter().map(|(host, value)| (host, map(value))).collect(),
            any: self.any.map(map),
        }
    }

    /// The values for a host, most specific first: the host itself, the longest suffix, any host.
    /// The host may have upper case, a port and a dot at its end.
    pub(crate) fn lookup(&self, authority: &str) -> SmallVec<[&T; 4]> {
        let mut found = SmallVec::new();
        if !self.exact.is_empty() || !self.suffix.is_empty() {
            self.lookup_name(&host_name(authority), &mut found);
        }
        found.extend(&self.any);
        found
    }

    fn lookup_name<'a>(&'a self, host: &str, found: &mut SmallVec<[&'a T; 4]>) {
        found.extend(self.exact.get(host));
        if self.suffix.is_empty() || host.len() > LONGEST_NAME {
            return;
        }
        let mut name = host;
        while let Some((_, suffix)) = name.split_once('.') {
            found.extend(self.suffix.get(suffix));
            name = suffix;
        }
    }
}

/// The host of an authority as patterns write it. Upper case and IPv6 addresses allocate.
pub(crate) fn host_name(authority: &str) -> std::borrow::Cow<'_, str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let address = rest.split_once(']').and_then(|(address, _)| address.parse().ok());
        return address.map_or(authority.into(), |ip: Ipv6Addr| format!("[{ip}]").into());
    }
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    }
}
