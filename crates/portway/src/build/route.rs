//! Routes.

use std::path::PathBuf;

use portway_config::{
    Files, HostPolicy, Kind, Matches, Redirect, Reply, Rewrite, Target, WeightedService,
    value::{Status, Weight},
};

use super::{Rule, Texts};
use crate::Problems;

/// Which requests go where, and what is changed on the way.
///
/// ```
/// use portway::build::{Route, Rule};
///
/// let items = Route::new("items").to("shop").path("/items/{id}").rewrite("/v2/items/{id}");
/// assert!(items.build().is_ok());
///
/// // Either of two.
/// let both = Route::new("both")
///     .rule(Rule::new().exact("/status"))
///     .rule(Rule::new().prefix("/internal").has_header("x-probe"))
///     .reply(204, "");
/// assert_eq!(both.build().expect("it is right").matches.as_slice().len(), 2);
///
/// let problems = Route::new("items").to("shop").path("/items/{id").timeout("soon").build();
/// assert_eq!(problems.unwrap_err().len(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Route {
    one: portway_config::Route,
    rules: Vec<Rule>,
    texts: Texts,
}

impl Route {
    /// A route of this name, which takes every request.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (texts, name) = Texts::of(Kind::Route, name);
        Self { one: portway_config::Route::new(name), rules: Vec::new(), texts }
    }

    /// In a namespace other than `default`.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.one.meta.namespace = self.texts.read(namespace, "namespace").unwrap_or_default();
        self
    }

    /// Of several routes that take a request, the one of the highest priority has it. At equal
    /// priority, the more specific one.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.one.priority = priority;
        self
    }

    /// Only for clients of this listener; of any of them, where there are several.
    #[must_use]
    pub fn listener(mut self, name: &str) -> Self {
        self.one.listeners.extend(self.texts.read(name, "listeners"));
        self
    }
}

/// Which requests.
impl Route {
    /// With one more alternative.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// See [`Rule::host`], of the last alternative.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.last(|rule| rule.host(host))
    }

    /// See [`Rule::method`], of the last alternative.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        self.last(|rule| rule.method(method))
    }

    /// See [`Rule::path`], of the last alternative.
    #[must_use]
    pub fn path(self, pattern: &str) -> Self {
        self.last(|rule| rule.path(pattern))
    }

    /// See [`Rule::prefix`], of the last alternative.
    #[must_use]
    pub fn prefix(self, path: &str) -> Self {
        self.last(|rule| rule.prefix(path))
    }

    /// See [`Rule::header`], of the last alternative.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.last(|rule| rule.header(name, value))
    }

    fn last(mut self, change: impl FnOnce(Rule) -> Rule) -> Self {
        let last = self.rules.pop().unwrap_or_default();
        self.rules.push(change(last));
        self
    }
}

/// Where they go. The last word counts.
impl Route {
    /// To a service.
    #[must_use]
    pub fn to(mut self, service: &str) -> Self {
        self.one.target = self.texts.read(service, "target.service").map(Target::Service);
        self
    }

    /// To one of several services, each as often as its weight says.
    #[must_use]
    pub fn to_each<S: AsRef<str>>(mut self, services: impl IntoIterator<Item = (S, u16)>) -> Self {
        let mut all = Vec::new();
        for (at, (service, weight)) in services.into_iter().enumerate() {
            let field = format!("target.services[{at}]");
            let service = self.texts.read(service.as_ref(), &field);
            let weight = Weight::new(weight);
            all.extend(service.map(|service| WeightedService { service, weight }));
        }
        self.target(Target::Services(all))
    }

    /// Nowhere: this is the answer.
    #[must_use]
    pub fn reply(mut self, status: u16, body: impl Into<String>) -> Self {
        match Status::try_from(status) {
            Ok(status) => {
                let (headers, body) = (std::collections::BTreeMap::new(), body.into());
                let reply = Reply { status, headers, body, template: false };
                self.target(Target::Reply(reply.into()))
            }
            Err(invalid) => {
                self.texts.wrong("target.reply.status", invalid.to_string());
                self
            }
        }
    }

    /// Nowhere: files below a folder are sent, by the path as it is left by
    /// [`rewrite`](Self::rewrite) or [`strip_prefix`](Self::strip_prefix).
    #[must_use]
    pub fn files(self, root: impl Into<PathBuf>) -> Self {
        self.target(Target::Files(Files::new(root).into()))
    }

    /// Nowhere: the client is sent elsewhere.
    #[must_use]
    pub fn redirect(self, redirect: Redirect) -> Self {
        self.target(Target::Redirect(redirect.into()))
    }

    /// To whatever else there is.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.one.target = Some(target);
        self
    }
}

/// What is changed on the way.
impl Route {
    /// The path that is forwarded, with the placeholders of the route: `/v2/items/{id}`.
    #[must_use]
    pub fn rewrite(mut self, path: &str) -> Self {
        self.one.rewrite = self.texts.read(path, "rewrite.path").map(Rewrite::Path);
        self
    }

    /// Takes this prefix off before forwarding.
    #[must_use]
    pub fn strip_prefix(mut self, prefix: &str) -> Self {
        let prefix = self.texts.read(prefix, "rewrite.strip_prefix");
        self.one.rewrite = prefix.map(Rewrite::StripPrefix);
        self
    }

    /// The client's `Host` reaches the upstream.
    #[must_use]
    pub fn preserve_host(mut self) -> Self {
        self.one.host = Some(HostPolicy::Preserve);
        self
    }

    /// How long the whole exchange may take: `5s`.
    #[must_use]
    pub fn timeout(mut self, time: &str) -> Self {
        self.one.timeouts.request = self.texts.read(time, "timeouts.request");
        self
    }

    /// The longest request body: `1MiB`.
    #[must_use]
    pub fn body_limit(mut self, size: &str) -> Self {
        self.one.body_limit = self.texts.read(size, "body_limit");
        self
    }

    /// Changes anything else about it. What rules say is put in when it is built.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut portway_config::Route)) -> Self {
        change(&mut self.one);
        self
    }

    /// The resource.
    ///
    /// # Errors
    /// All that is wrong with it by itself.
    pub fn build(self) -> Result<portway_config::Route, Problems> {
        let (route, texts) = self.parts();
        texts.done(route)
    }

    pub(super) fn parts(self) -> (portway_config::Route, Texts) {
        let Self { mut one, rules, mut texts } = self;
        let only = rules.len() == 1;
        let mut all = Vec::with_capacity(rules.len());
        for (at, rule) in rules.into_iter().enumerate() {
            let field = if only { "match".to_owned() } else { format!("match[{at}]") };
            texts.take(rule.texts, &field);
            all.push(rule.one);
        }
        match all.len() {
            0 => {}
            1 => one.matches = all.pop().map_or_else(Matches::default, Matches::One),
            _ => one.matches = Matches::Any(all),
        }
        (one, texts)
    }
}

attaching!(Route, one.plugins);
