//! What somebody may do: a role, narrowed down to kinds, verbs and namespaces.

use std::{borrow::Cow, fmt, str::FromStr};

use portway_config::{ResourceId, Role, value::NamespaceScope};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What is done to something. A write is `Put`, `Patch` or `Delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Verb {
    Get,
    List,
    Watch,
    Explain,
    Diff,
    Put,
    Patch,
    Delete,
}

/// A kind of thing the API deals with, by its singular name: `route`, `token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(&'static str);

/// One of something, or all of them: `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "T: Word")]
pub enum Scope<T> {
    /// `*`.
    All,
    /// This one.
    One(T),
}

/// What a credential is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// What its bearer may do.
    pub role: Role,
    /// In which namespaces.
    #[serde(default = "everywhere")]
    pub namespaces: Vec<NamespaceScope>,
    /// With which kinds of resources.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<Scope<Kind>>,
    /// Of what the role allows, this.
    #[serde(default = "all_verbs")]
    pub verbs: Vec<Scope<Verb>>,
}

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// What they are called in the history and the audit log.
    pub name: Box<str>,
    /// What shows who they are.
    pub by: By,
    /// What they may do.
    pub grant: Grant,
}

/// What shows who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Nothing: nobody is asked.
    Nothing,
    /// A name and a password.
    Basic,
    /// A signed token of somebody else's.
    Jwt,
    /// A client certificate.
    Certificate,
    /// A token of the API.
    Token,
    /// The token of the first start.
    FirstToken,
}

/// Somebody may not do something. It says why, to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied(String);

/// How far something of a kind reaches, which decides who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Its namespace.
    Namespace,
    /// Beyond its namespace: a listener opens a port, a domain takes hosts.
    Gateway,
    /// Beyond its namespace, with a private key.
    Key,
    /// What everybody sees who is let in.
    Everybody,
    /// Who may use the API, and what they did.
    Access,
}

/// Every kind. One that is not here is for nobody.
const KINDS: &[(&str, Reach)] = &[
    ("service", Reach::Namespace),
    ("route", Reach::Namespace),
    ("plugin", Reach::Namespace),
    ("consumer", Reach::Namespace),
    ("secret", Reach::Namespace),
    ("collection", Reach::Namespace),
    ("document", Reach::Namespace),
    ("namespace", Reach::Gateway),
    ("listener", Reach::Gateway),
    ("domain", Reach::Gateway),
    // It is counted by names, which namespaces may share.
    ("traffic", Reach::Gateway),
    // History goes through every namespace, and a live request may be any route's.
    ("revision", Reach::Gateway),
    ("debug-token", Reach::Gateway),
    // Routes of the program's own, which may concern anything.
    ("extension", Reach::Gateway),
    ("certificate", Reach::Key),
    ("kind", Reach::Everybody),
    ("plugin-type", Reach::Everybody),
    ("status", Reach::Everybody),
    ("token", Reach::Access),
    ("audit", Reach::Access),
    ("backup", Reach::Access),
    // The key that secrets are sealed with.
    ("key", Reach::Access),
];

/// Something with a fixed list of words.
pub trait Word: Copy + Eq + 'static {
    /// What a schema calls one of them, or all.
    const SCOPE: &'static str;
    /// All of them.
    fn all() -> impl Iterator<Item = Self>;
    /// Its word.
    fn word(self) -> &'static str;
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::List,
        Self::Watch,
        Self::Explain,
        Self::Diff,
        Self::Put,
        Self::Patch,
        Self::Delete,
    ];

    /// Whether it changes anything.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Put | Self::Patch | Self::Delete)
    }
}

impl Word for Verb {
    const SCOPE: &'static str = "VerbScope";

    fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Explain => "explain",
            Self::Diff => "diff",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

impl Kind {
    /// The kind of this name, which may be its plural.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s');
        let mut known = KINDS.iter().map(|(known, _)| *known);
        known.find(|known| *known == name || Some(*known) == singular).map(Self)
    }

    fn reach(self) -> Reach {
        KINDS.iter().find(|(name, _)| *name == self.0).map_or(Reach::Access, |(_, reach)| *reach)
    }
}

impl Word for Kind {
    const SCOPE: &'static str = "KindScope";

    fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(name, _)| Self(name))
    }

    fn word(self) -> &'static str {
        self.0
    }
}

impl<T: Word> Scope<T> {
    fn takes(self, one: T) -> bool {
        self == Self::All || self == Self::One(one)
    }
}

impl Grant {
    /// Everything a role allows, everywhere.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Self { role, namespaces: everywhere(), kinds: all_kinds(), verbs: all_verbs() }
    }

    /// What the first token is good for: to make a token.
    pub(super) fn of_first() -> Self {
        let kinds = Kind::named("token").map(Scope::One).into_iter().collect();
        Self { kinds, verbs: vec![Scope::One(Verb::Put)], ..Self::of(Role::Admin) }
    }

    /// In these namespaces only.
    #[must_use]
    pub fn within(mut self, namespaces: Vec<NamespaceScope>) -> Self {
        self.namespaces = namespaces;
        self
    }

    /// Whether it takes a namespace; `None` stands for what belongs to no single one.
    #[must_use]
    pub fn takes_namespace(&self, namespace: Option<&str>) -> bool {
        self.namespaces.iter().any(|scope| scope.takes(namespace))
    }

    /// Whether it lets do everything.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.role == Role::Admin
            && self.namespaces.contains(&NamespaceScope::All)
            && self.kinds.contains(&Scope::All)
            && self.verbs.contains(&Scope::All)
    }

    /// Whether everything that `other` lets do can be done by this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let namespaces = other
            .namespaces
            .iter()
            .all(|theirs| self.namespaces.iter().any(|ours| ours.covers(theirs)));
        self.role >= other.role
            && namespaces
            && covers(&self.kinds, &other.kinds)
            && covers(&self.verbs, &other.verbs)
    }
}

fn covers<T: Word>(ours: &[Scope<T>], theirs: &[Scope<T>]) -> bool {
    ours.contains(&Scope::All) || theirs.iter().all(|scope| ours.contains(scope))
}

impl Who {
    /// Whether they may do this to something of a kind (`route`), in a namespace. Without a
    /// namespace it is asked for all of them together; so it is for what belongs to none.
    ///
    /// # Errors
    /// They may not.
    pub fn allows(&self, verb: Verb, kind: &str, namespace: Option<&str>) -> Result<(), Denied> {
        let what = verb.word();
        let Some(kind) = Kind::named(kind) else {
            return Err(Denied(format!("nobody may {what} a {kind:?}: there is no such kind")));
        };
        let article = if kind.0.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let denied =
            |why: &str| Err(Denied(format!("you may not {what} {article} {}: {why}", kind.0)));
        let takes_verb = self.grant.verbs.iter().any(|scope| scope.takes(verb));
        if !takes_verb || !self.grant.kinds.iter().any(|scope| scope.takes(kind)) {
            return denied(match (self.by, takes_verb) {
                (By::FirstToken, _) => {
                    "the first token makes a token of the role admin, by POST /api/v1/tokens, and \
                     nothing else; come back with that one"
                }
                (_, false) => "the verb is not among those of your credential",
                (_, true) => "the kind is not among those of your credential",
            });
        }
        let reach = kind.reach();
        let role = self.grant.role;
        let is_in_role = match (reach, role) {
            (_, Role::Admin) => true,
            (Reach::Access, _) => false,
            (Reach::Key | Reach::Everybody, _) => !verb.is_write(),
            (_, Role::Viewer) => !verb.is_write(),
            (Reach::Namespace | Reach::Gateway, Role::Editor) => true,
        };
        if !is_in_role {
            return denied(match role {
                Role::Viewer => "your role is viewer",
                Role::Editor | Role::Admin => "your role is editor, and it takes an admin",
            });
        }
        if reach == Reach::Everybody && !verb.is_write() {
            return Ok(());
        }
        // What reaches beyond a namespace is changed by those who have all of them.
        let is_wide = reach == Reach::Access || (verb.is_write() && reach != Reach::Namespace);
        let asked = if is_wide { None } else { namespace };
        if self.grant.takes_namespace(asked) {
            return Ok(());
        }
        match asked {
            Some(namespace) => denied(&format!("the namespace {namespace:?} is not yours")),
            None => denied("it concerns every namespace, and not all are yours"),
        }
    }

    /// Whether they may do this to a resource. A namespace is for those who have it.
    ///
    /// # Errors
    /// They may not.
    pub fn allows_with(&self, verb: Verb, id: &ResourceId) -> Result<(), Denied> {
        let within = if id.kind.is_namespaced() { &id.namespace } else { &id.name };
        self.allows(verb, id.kind.singular(), Some(within.as_str()))
    }

    /// Whether they may do this to what concerns a namespace of theirs, whichever it is. They see
    /// only what [`Grant::takes_namespace`] takes.
    ///
    /// # Errors
    /// They may not.
    pub fn allows_somewhere(&self, verb: Verb, kind: &str) -> Result<(), Denied> {
        let everywhere = self.grant.takes_namespace(None);
        let own = self.grant.namespaces.iter().find_map(|scope| match scope {
            NamespaceScope::One(name) if !everywhere => Some(name.as_str()),
            _ => None,
        });
        self.allows(verb, kind, own)
    }

    /// Whether they have this role, or one that may do more.
    ///
    /// # Errors
    /// They have not.
    pub fn is_at_least(&self, role: Role) -> Result<(), Denied> {
        if self.grant.role >= role {
            return Ok(());
        }
        Err(Denied(format!("it takes the role {}", role.as_str())))
    }

    /// Whether they may make a credential that is good for this.
    ///
    /// # Errors
    /// They may not, or not one that is good for so much.
    pub fn may_grant(&self, grant: &Grant) -> Result<(), Denied> {
        self.allows(Verb::Put, "token", None)?;
        if self.by == By::FirstToken {
            let why = "the first token makes one thing only: a token of the role admin without \
                       limits of namespaces, kinds and verbs";
            return if grant.is_full() { Ok(()) } else { Err(Denied(why.to_owned())) };
        }
        if self.grant.covers(grant) {
            return Ok(());
        }
        Err(Denied("you may not give others more than you have".to_owned()))
    }
}

impl Denied {
    /// The first token has done what it was for.
    pub(super) fn first_is_spent() -> Self {
        Self("the first token has been used".to_owned())
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Denied {}

impl<T: Word> FromStr for Scope<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::All);
        }
        T::all().find(|one| one.word() == text).map(Self::One).ok_or_else(|| {
            let known: Vec<_> = T::all().map(Word::word).collect();
            format!("{text:?} is not known; there are *, {}", known.join(", "))
        })
    }
}

impl<T: Word> TryFrom<String> for Scope<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl<T: Word> From<Scope<T>> for String {
    fn from(scope: Scope<T>) -> Self {
        match scope {
            Scope::All => "*".to_owned(),
            Scope::One(one) => one.word().to_owned(),
        }
    }
}

impl<T: Word> JsonSchema for Scope<T> {
    fn schema_name() -> Cow<'static, str> {
        T::SCOPE.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = ["*"].into_iter().chain(T::all().map(Word::word)).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

pub(super) fn everywhere() -> Vec<NamespaceScope> {
    vec![NamespaceScope::All]
}

pub(super) fn all_kinds() -> Vec<Scope<Kind>> {
    vec![Scope::All]
}

pub(super) fn all_verbs() -> Vec<Scope<Verb>> {
    vec![Scope::All]
}
