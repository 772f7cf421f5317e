//! The noun before the verb: `portway route create name=shop`.

use std::process::ExitCode;

use anyhow::bail;
use http::Method;
use serde_json::json;

use super::{apply, client, edited, guarded, resources};
use crate::{
    remote::{
        args::{Create, Noun, Verb},
        client::{Client, Request},
        kinds::{Kind, Kinds},
        pairs::{self, Pair},
    },
    terminal::{PROBLEMS, UsageError},
};

pub(super) async fn noun(word: &str, args: &Noun) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let kinds = Kinds::of(&client).await?;
    let kind = kinds.find(word)?;
    match &args.verb {
        Verb::Create(create) => made(&client, kind, create).await,
        Verb::List(list) => {
            let (_, _, own) = addressed(&list.pairs, false)?;
            let namespace = own.as_deref().or_else(|| client.namespace(&list.scope));
            resources::several(&client, kind, &list.filter, namespace, list.output.form).await
        }
        Verb::Get(one) => {
            let (names, _, own) = addressed(&one.names, false)?;
            let namespace = own.as_deref().or_else(|| client.namespace(&one.scope));
            match names.as_slice() {
                [name] => resources::one(&client, kind, name, namespace, one.output.form).await,
                _ => Err(UsageError(format!("say which {}: its name", kind.kind)).into()),
            }
        }
        Verb::Delete(remove) => {
            let (names, _, own) = addressed(&remove.names, false)?;
            if names.is_empty() {
                bail!(UsageError(format!("say which {}: its name", kind.kind)));
            }
            let namespace = own.as_deref().or_else(|| client.namespace(&remove.scope));
            let (edit, form) = (&remove.edit, remove.output.form);
            resources::gone(&client, kind, &names, namespace, None, edit, form).await
        }
    }
}

async fn made(client: &Client, kind: &Kind, args: &Create) -> anyhow::Result<ExitCode> {
    let (names, mut pairs, own) = addressed(&args.pairs, true)?;
    let own_pair = if kind.kind == "domain" { key_pair(&mut pairs)? } else { None };
    // What is missing is named together with the name.
    let name = match names.as_slice() {
        [name] => name.clone(),
        [] => {
            let (spec, _) = pairs::spec(kind, &pairs)?;
            let more = pairs::complete(kind, &spec).err().map(|error| format!("; {error}"));
            let more = more.unwrap_or_default();
            bail!(UsageError(format!("a {} needs a name: name=NAME{more}", kind.kind)));
        }
        [_, second, ..] => bail!(UsageError(format!("{second:?} is no KEY=VALUE"))),
    };
    let request = Request::new(Method::PUT, &resources::place(kind, &name));
    let request = guarded(request, args.guard.if_match.as_deref(), args.guard.is_new);
    let namespace = own.as_deref().or_else(|| client.namespace(&args.scope));
    let request =
        edited(request, &args.edit).maybe("namespace", namespace.filter(|_| kind.namespaced));
    let Some(mut told) = resources::whole(kind, &pairs, args.file.as_deref(), true)? else {
        return Ok(ExitCode::from(PROBLEMS));
    };
    if let Some((cert, key)) = own_pair {
        told.spec["name"] = name.as_str().into();
        told.spec["certificate"] = name.as_str().into();
        let certificate = json!({ "name": name, "cert": cert, "key": key });
        let both = json!({ "certificates": [certificate], "domains": [told.spec] });
        return apply::document(client, &both, namespace, &args.edit, args.output.form).await;
    }
    resources::send(client, request, told, &args.edit, args.output.form).await
}

/// A domain of DGate's has a certificate and a key of its own; here they are a resource, which
/// gets the name of the domain.
fn key_pair(pairs: &mut Vec<Pair>) -> anyhow::Result<Option<(String, String)>> {
    match (pairs::take(pairs, "cert")?, pairs::take(pairs, "key")?) {
        (Some(cert), Some(key)) => Ok(Some((cert, key))),
        (None, None) => Ok(None),
        _ => bail!(UsageError("a domain has both a cert and a key, or none of them".to_owned())),
    }
}

/// Names, what else was said, and the namespace: `name=` and `namespace=` address a resource, they
/// are no part of it.
fn addressed(
    arguments: &[String],
    is_made: bool,
) -> anyhow::Result<(Vec<String>, Vec<Pair>, Option<String>)> {
    let (mut names, mut pairs) = pairs::sorted(arguments);
    names.extend(pairs::take(&mut pairs, "name")?);
    let namespace = pairs::take(&mut pairs, "namespace")?;
    if let Some(pair) = pairs.first().filter(|_| !is_made) {
        let message = format!("{:?}: only name and namespace are said here", pair.key);
        bail!(UsageError(message));
    }
    Ok((names, pairs, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str], is_made: bool) -> anyhow::Result<(Vec<String>, usize, Option<String>)> {
        let texts = texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (names, pairs, namespace) = addressed(&texts, is_made)?;
        Ok((names, pairs.len(), namespace))
    }

    #[test]
    fn a_resource_is_addressed_in_both_ways() {
        let one = |name: &str| vec![name.to_owned()];
        assert_eq!(of(&["shop"], false).unwrap(), (one("shop"), 0, None));
        let both = of(&["name=shop", "namespace=a", "paths=/"], true).unwrap();
        assert_eq!(both, (one("shop"), 1, Some("a".to_owned())));
        assert!(of(&["shop", "paths=/"], false).unwrap_err().is::<UsageError>());
    }
}
