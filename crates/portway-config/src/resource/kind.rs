//! The kinds of resources there are. A new kind is one line here.

use std::{fmt, sync::Arc};

use portway_plugin::value::Name;
use serde::Serialize;
use serde_json::Value;

use super::{
    Certificate, Collection, Config, Consumer, Domain, Listener, Meta, NamedSecret, Namespace,
    PluginInstance, Route, Service,
};

macro_rules! kinds {
    ($($(#[$about:meta])* $kind:ident($type:ident) in $list:ident, $singular:literal, $short:literal;)*) => {
        /// A kind of resource.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$about])* $kind,)*
        }

        /// A resource of any kind. A copy shares it.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Resource {
            $($(#[$about])* $kind(Arc<$type>),)*
        }

        impl Kind {
            /// All of them, what others refer to before what refers to it.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// What one is called: `route`.
            #[must_use]
            pub const fn singular(self) -> &'static str {
                match self { $(Self::$kind => $singular,)* }
            }

            /// What several are called, which is also the key of their list: `routes`.
            #[must_use]
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$kind => stringify!($list),)* }
            }

            /// What it is called for short: `rt`.
            #[must_use]
            pub const fn short(self) -> &'static str {
                match self { $(Self::$kind => $short,)* }
            }

            /// The name of its definition in the JSON Schema.
            #[must_use]
            pub const fn definition(self) -> &'static str {
                match self { $(Self::$kind => stringify!($type),)* }
            }

            /// Reads one.
            pub(crate) fn read(self, json: Value) -> Result<Resource, serde_json::Error> {
                match self {
                    $(Self::$kind => Ok(Resource::$kind(Arc::new(serde_json::from_value(json)?))),)*
                }
            }
        }

        impl Resource {
            /// Its kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// What all resources have.
            #[must_use]
            pub fn meta(&self) -> &Meta {
                match self { $(Self::$kind(one) => &one.meta,)* }
            }
        }

        impl Config {
            /// Adds one behind the others of its kind.
            pub fn push(&mut self, resource: Resource) {
                match resource { $(Resource::$kind(one) => self.$list.push(one),)* }
            }

            /// Each resource with its place in its list: all of a kind, then all of the next one.
            /// Routes under services are part of their service.
            pub fn resources(&self) -> impl Iterator<Item = (ResourceRef<'_>, usize)> {
                let none = std::iter::empty();
                $(let none = none.chain(self.$list.iter().enumerate().map(|(at, one)| {
                    let (kind, meta) = (Kind::$kind, &one.meta);
                    (ResourceRef { kind, meta, value: Written::$kind(one) }, at)
                }));)*
                none
            }

            /// Adds the resources of another one behind those of their kinds.
            pub fn append(&mut self, other: &mut Self) {
                $(self.$list.append(&mut other.$list);)*
            }

            /// How many resources of a kind there are.
            #[must_use]
            pub fn count(&self, kind: Kind) -> usize {
                match kind { $(Kind::$kind => self.$list.len(),)* }
            }
        }

        #[derive(Clone, Copy, Debug, Serialize)]
        #[serde(untagged)]
        enum Written<'a> {
            $($kind(&'a $type),)*
        }
    };
}

kinds! {
    /// A world of its own.
    Namespace(Namespace) in namespaces, "namespace", "ns";
    /// A text that others take in.
    Secret(NamedSecret) in secrets, "secret", "sec";
    /// A certificate with its key.
    Certificate(Certificate) in certificates, "certificate", "cert";
    /// Hosts of a namespace.
    Domain(Domain) in domains, "domain", "dom";
    /// A set of documents.
    Collection(Collection) in collections, "collection", "col";
    /// A shared instance of a plugin.
    Plugin(PluginInstance) in plugins, "plugin", "pl";
    /// Somebody who may ask.
    Consumer(Consumer) in consumers, "consumer", "cons";
    /// A socket clients connect to.
    Listener(Listener) in listeners, "listener", "ls";
    /// Where requests are forwarded to.
    Service(Service) in services, "service", "svc";
    /// Which requests go where.
    Route(Route) in routes, "route", "rt";
}

impl Kind {
    /// The kind that is called `word`: in the singular, in the plural, or for short.
    #[must_use]
    pub fn called(word: &str) -> Option<Self> {
        let names = |kind: &Self| [kind.singular(), kind.plural(), kind.short()].contains(&word);
        Self::ALL.iter().copied().find(names)
    }

    /// Whether its resources belong to a namespace.
    #[must_use]
    pub const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Namespace)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.singular())
    }
}

/// Which resource: no two of one kind in one namespace have one name. Shown as
/// `route/default/shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// The kind.
    pub kind: Kind,
    /// The namespace; `default` for a namespace.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

impl ResourceId {
    /// As messages call it: `route shop`, and `route billing/shop` outside the namespace `default`.
    #[must_use]
    pub fn told(&self) -> String {
        match self.namespace.is_default_namespace() {
            true => format!("{} {}", self.kind, self.name),
            false => format!("{} {}/{}", self.kind, self.namespace, self.name),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

impl std::str::FromStr for ResourceId {
    type Err = ();

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().ok_or(());
        let kind = Kind::called(next()?).ok_or(())?;
        let namespace = next()?.parse().map_err(|_| ())?;
        let name = next()?.parse().map_err(|_| ())?;
        Ok(Self { kind, namespace, name })
    }
}

impl Resource {
    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        let meta = self.meta();
        ResourceId { kind: self.kind(), namespace: meta.namespace.clone(), name: meta.name.clone() }
    }
}

/// A resource where it stands in a configuration.
#[derive(Clone, Copy, Debug)]
pub struct ResourceRef<'a> {
    /// Its kind.
    pub kind: Kind,
    /// What all resources have.
    pub meta: &'a Meta,
    value: Written<'a>,
}

impl ResourceRef<'_> {
    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        let Meta { namespace, name, .. } = self.meta.clone();
        ResourceId { kind: self.kind, namespace, name }
    }

    /// What it says, as a configuration would have it. Secrets are masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self.value).unwrap_or_default()
    }
}

/// A resource as it was declared.
#[derive(Clone, Debug)]
pub struct Declared<'a> {
    /// Which one it is.
    pub id: ResourceId,
    /// Where it stands: `routes[2]`, `services[0].routes[1]`.
    pub path: String,
    one: ResourceRef<'a>,
    /// The service it stands under.
    under: Option<&'a Name>,
}

impl Declared<'_> {
    /// What it says, but for its name and its namespace. Secrets are masked. A route under a service
    /// has the service as its target.
    #[must_use]
    pub fn spec(&self) -> Value {
        let mut spec = self.one.to_json();
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("name");
            spec.remove("namespace");
            if let Some(service) = self.under {
                spec.insert("target".into(), serde_json::json!({ "service": service }));
            }
        }
        spec
    }
}

impl Config {
    /// Where something is that was made and not written, by the name of its resource:
    /// `routes[3].match.path` is `route shop.item match.path`. `None` for what is no resource.
    #[must_use]
    pub fn named_path(&self, path: &str) -> Option<String> {
        let (list, rest) = path.split_once('[')?;
        let (number, rest) = rest.split_once(']')?;
        let number: usize = number.parse().ok()?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.plural() == list)?;
        let mut of_kind = self.resources().filter(|(one, _)| one.kind == kind);
        let (one, _) = of_kind.find(|(_, at)| *at == number)?;
        let said = format!("{kind} {} {}", one.meta.name, rest.trim_start_matches('.'));
        Some(said.trim_end().to_owned())
    }

    /// Every resource of a kind as it was declared, also routes under services.
    pub fn declared(&self, kind: Kind) -> impl Iterator<Item = Declared<'_>> {
        let of_kind = self.resources().filter(move |(one, _)| one.kind == kind);
        let top = of_kind.map(|(one, at)| {
            let path = format!("{}[{at}]", one.kind.plural());
            Declared { id: one.id(), path, one, under: None }
        });
        let owners = self.services.iter().enumerate().filter(move |_| kind == Kind::Route);
        top.chain(owners.flat_map(move |(at, service)| {
            service.routes.iter().enumerate().map(move |(inner, route)| {
                let one = ResourceRef { kind, meta: &route.meta, value: Written::Route(route) };
                let mut id = one.id();
                if id.namespace.is_default_namespace() {
                    id.namespace.clone_from(&service.meta.namespace);
                }
                let path = format!("services[{at}].routes[{inner}]");
                Declared { id, path, one, under: Some(&service.meta.name) }
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_names_of_its_own() {
        for kind in Kind::ALL {
            for word in [kind.singular(), kind.plural(), kind.short()] {
                assert_eq!(Kind::called(word), Some(*kind), "{word}");
            }
        }
        assert_eq!(Kind::called("module"), None);
    }

    #[test]
    fn a_path_is_told_by_name() {
        let mut config = Config::default();
        config.routes.push(Route::new("one".parse().unwrap()));
        config.routes.push(Route::new("two".parse().unwrap()));
        let named = |path| config.named_path(path).unwrap_or_default();
        assert_eq!(named("routes[1].match.path"), "route two match.path");
        assert_eq!(named("routes[0]"), "route one");
        for nothing in ["routes[2]", "services[0]", "routes", "log.level", "routes[x]"] {
            assert_eq!(config.named_path(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn an_id_reads_what_it_writes() {
        let id: ResourceId = "route/default/shop".parse().unwrap();
        assert_eq!(id.to_string(), "route/default/shop");
        assert!("route/default".parse::<ResourceId>().is_err());
        assert!("thing/default/x".parse::<ResourceId>().is_err());
    }
}
