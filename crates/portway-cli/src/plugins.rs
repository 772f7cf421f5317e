//! `portway plugins`.

use std::process::ExitCode;

use portway::config::PluginReference;
use serde_json::{Value, json};

use crate::{
    args::{Listing, Plugins},
    catalog::catalog,
    terminal::{columns, print},
};

pub(crate) fn plugins(args: &Plugins) -> anyhow::Result<ExitCode> {
    let all = catalog().plugins();
    let Some(name) = &args.name else {
        print(&match args.output {
            Listing::Table => {
                let line = |one: &PluginReference| vec![one.name.to_owned(), one.summary.clone()];
                columns(&["PLUGIN", "WHAT IT DOES"], &all.iter().map(line).collect::<Vec<_>>())
            }
            Listing::Json => {
                let plugins = all.iter().map(as_object).collect::<Vec<_>>();
                format!("{:#}\n", json!({ "plugins": plugins }))
            }
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(one) = all.iter().find(|one| one.name == name) else {
        let names = all.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
        anyhow::bail!("there is no plugin {name}; there are {names}");
    };
    print(&match args.output {
        Listing::Table => one.markdown(),
        Listing::Json => format!("{:#}\n", as_object(one)),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn as_object(one: &PluginReference) -> Value {
    let keys = one.keys.iter().map(|key| {
        json!({
            "path": key.path,
            "value": key.kind,
            "default": key.default,
            "required": key.required,
            "description": key.description,
        })
    });
    json!({ "name": one.name, "summary": one.summary, "keys": keys.collect::<Vec<_>>() })
}
