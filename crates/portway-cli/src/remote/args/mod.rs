//! What may be typed to ask a running gateway, and what its help says.

mod change;
mod connection;
mod look;
mod noun;
mod operate;

use clap::Subcommand;

pub(crate) use self::{
    change::{Apply, Delete, Diff, Patch, Put, Rollback, Sync},
    connection::{Connection, Edit, Form, Output, Scope},
    look::{
        Audit, Explain, Export, Filter, Get, History, List, Show, Sort, Status, Top, Watch, Written,
    },
    noun::{
        Collection, Create, Document, DocumentDelete, DocumentList, DocumentOne, DocumentPut,
        DocumentVerb, Noun, Verb,
    },
    operate::{
        Backup, Profile, ProfileVerb, Restore, Role, RotateKey, Token, TokenCreate, TokenDebug,
        TokenVerb,
    },
};

/// Commands that ask a running gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show one resource of a running gateway
    Get(Get),
    /// List the resources of a kind
    List(List),
    /// Make a resource, or put another in its place
    Put(Put),
    /// Change some keys of a resource
    Patch(Patch),
    /// Delete resources
    Delete(Delete),
    /// Make and change all that files say, at once or not at all
    Apply(Apply),
    /// Show what `apply` would change; exit code 2 when that is something
    Diff(Diff),
    /// Apply files, and delete what has the labels and is not in them
    Sync(Sync),
    /// Write what the gateway holds as a configuration
    Export(Export),
    /// Say what would become of a request, and why
    Explain(Explain),
    /// List the changes there were
    History(History),
    /// Show one change, line by line
    Show(Show),
    /// Go back to what was before
    Rollback(Rollback),
    /// Follow the changes as they are made
    Watch(Watch),
    /// Follow the traffic by route and by service
    Top(Top),
    /// Say how the gateway is
    Status(Status),
    /// List who changed what through the admin API
    Audit(Audit),
    /// Tokens for the admin API: create, list, delete
    Token(Token),
    /// Save the store of the gateway in a file
    Backup(Backup),
    /// Put a saved store in the place of what there is
    Restore(Restore),
    /// Make a new key for secrets, and seal them with it
    RotateKey(RotateKey),
    /// Documents of collections: put, get, list, delete
    #[command(visible_alias = "doc", alias = "documents")]
    Document(Document),
    /// Gateways by name: list, set, use
    Profile(Profile),
    /// Namespaces: create, delete, list, get
    #[command(hide = true, alias = "ns")]
    Namespace(Noun),
    /// Services: create, delete, list, get
    #[command(hide = true, alias = "svc")]
    Service(Noun),
    /// Modules: create, delete, list, get
    #[command(hide = true, alias = "mod")]
    Module(Noun),
    /// Routes: create, delete, list, get
    #[command(hide = true, alias = "rt")]
    Route(Noun),
    /// Domains: create, delete, list, get
    #[command(hide = true, alias = "dom")]
    Domain(Noun),
    /// Collections: create, delete, list, get
    #[command(hide = true, alias = "col")]
    Collection(Noun),
    /// Secrets: create, delete, list, get
    #[command(hide = true, alias = "sec")]
    Secret(Noun),
    /// Listeners: create, delete, list, get
    #[command(hide = true)]
    Listener(Noun),
    /// Consumers: create, delete, list, get
    #[command(hide = true)]
    Consumer(Noun),
    /// Certificates: create, delete, list, get
    #[command(hide = true, alias = "cert")]
    Certificate(Noun),
    /// Shared instances of plugins: create, delete, list, get
    #[command(hide = true)]
    Plugin(Noun),
}
