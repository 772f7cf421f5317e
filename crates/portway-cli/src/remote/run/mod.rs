//! What each command does: ask, and show the answer.

mod apply;
mod backup;
mod document;
mod explain;
mod history;
mod noun;
mod profile;
mod resources;
mod status;
mod token;
mod top;
mod watch;

use std::process::ExitCode;

use http::header::HeaderName;
use serde_json::Value;

use super::{
    args::{Command, Connection, Edit, Scope},
    client::{Client, Refusal, Request, Said},
    connect::{Variables, settings},
};
use crate::terminal;

/// Does what the command says.
pub(super) async fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Get(get) => resources::get(get).await,
        Command::List(list) => resources::list(list).await,
        Command::Put(put) => resources::put(put).await,
        Command::Patch(patch) => resources::patch(patch).await,
        Command::Delete(delete) => resources::delete(delete).await,
        Command::Apply(args) => apply::apply(args).await,
        Command::Diff(args) => apply::diff(args).await,
        Command::Sync(args) => apply::sync(args).await,
        Command::Export(args) => apply::export(args).await,
        Command::Explain(args) => explain::explain(args).await,
        Command::History(args) => history::history(args).await,
        Command::Show(args) => history::show(args).await,
        Command::Rollback(args) => history::rollback(args).await,
        Command::Audit(args) => history::audit(args).await,
        Command::Watch(args) => watch::watch(args).await,
        Command::Top(args) => top::top(args).await,
        Command::Status(args) => status::status(args).await,
        Command::Token(args) => token::token(args).await,
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::RotateKey(args) => backup::rotate_key(args).await,
        Command::Document(args) => document::document(args).await,
        Command::Profile(args) => profile::profile(args),
        Command::Namespace(args) => noun::noun("namespace", args).await,
        Command::Service(args) => noun::noun("service", args).await,
        Command::Module(args) => noun::noun("module", args).await,
        Command::Route(args) => noun::noun("route", args).await,
        Command::Domain(args) => noun::noun("domain", args).await,
        Command::Collection(args) => noun::noun("collection", args).await,
        Command::Secret(args) => noun::noun("secret", args).await,
        Command::Listener(args) => noun::noun("listener", args).await,
        Command::Consumer(args) => noun::noun("consumer", args).await,
        Command::Certificate(args) => noun::noun("certificate", args).await,
        Command::Plugin(args) => noun::noun("plugin", args).await,
    }
}

/// Who asks which gateway, by what was said.
fn client(connection: &Connection) -> anyhow::Result<Client> {
    Ok(Client { settings: settings(connection, &Variables::read())? })
}

impl Client {
    /// The namespace that was named, or the profile's.
    fn namespace<'a>(&'a self, scope: &'a Scope) -> Option<&'a str> {
        scope.namespace.as_deref().or(self.settings.namespace.as_deref())
    }
}

/// A change with what was said about how it is made. The message goes into a query: a header
/// field holds no text beyond ASCII.
fn edited(request: Request, edit: &Edit) -> Request {
    request
        .flag("dry_run", edit.dry_run)
        .flag("force", edit.force)
        .maybe("message", edit.message.as_deref())
}

/// A change that is made only if the resource is as the caller thinks.
fn guarded(request: Request, if_match: Option<&str>, is_new: bool) -> Request {
    let tag = |revision: &str| match revision {
        "*" => "*".to_owned(),
        quoted if quoted.starts_with('"') => quoted.to_owned(),
        number => format!("\"{number}\""),
    };
    match if_match {
        Some(revision) => request.header(HeaderName::from_static("if-match"), &tag(revision)),
        None if is_new => request.header(HeaderName::from_static("if-none-match"), "*"),
        None => request,
    }
}

/// Tells the warnings that came with the answer.
fn warn(meta: &Value) {
    let said = serde_json::json!({ "problems": meta["warnings"] });
    let warnings = serde_json::from_value(said).map(|said: Refusal| said.problems());
    terminal::loose_warnings(&warnings.unwrap_or_default());
}

/// `, revision 7`, when there is one that was made now.
fn at_revision(said: &Said) -> String {
    match said.meta["revision"].as_u64() {
        Some(number) if said.meta["changed"] == true && said.meta["dry_run"] != true => {
            format!(", revision {number}")
        }
        _ => String::new(),
    }
}

/// The first `limit` items of a list that comes in pages.
async fn pages(
    client: &Client,
    request: &Request,
    limit: Option<usize>,
) -> anyhow::Result<Vec<Value>> {
    const PAGE: usize = 1000;
    let most = limit.unwrap_or(usize::MAX);
    let (mut all, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let wanted = (most - all.len()).min(PAGE).to_string();
        let page = request.clone().query("limit", &wanted).maybe("cursor", cursor.as_deref());
        let Said { data, meta } = client.ask(page).await?;
        let Value::Array(items) = data else { anyhow::bail!("the answer is no list") };
        let is_empty = items.is_empty();
        all.extend(items);
        all.truncate(most);
        let next = match &meta["cursor"] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        // A cursor that leads nowhere must not lead round and round.
        if next.is_none() || next == cursor || is_empty || all.len() >= most {
            return Ok(all);
        }
        cursor = next;
    }
}
