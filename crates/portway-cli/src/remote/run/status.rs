//! `portway status`.

use std::process::ExitCode;

use anstyle::{AnsiColor, Effects, Style};
use portway::config::Kind;
use serde_json::Value;

use super::client;
use crate::{
    remote::{
        args::Status,
        client::Request,
        show::{self, items, moment, text},
    },
    terminal::PROBLEMS,
};

const GREEN: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const RED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

pub(super) async fn status(args: &Status) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let said = client.ask(Request::get("/status")).await?;
    let admin = client.settings.admin.url();
    show::value(args.output.form, &said.data, |data| told(&admin, data))?;
    Ok(if is_ready(&said.data) { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

/// Whether the gateway is ready, and would not only be if what was said last could be served.
fn is_ready(data: &Value) -> bool {
    data["ready"] != false
        && items(data, "/origins").iter().all(|origin| origin["applied"] != false)
}

fn told(admin: &str, data: &Value) -> String {
    let state = match is_ready(data) {
        true => format!("{GREEN}ready{GREEN:#}"),
        false => format!("{RED}not ready{RED:#}"),
    };
    let mut lines = format!(
        "{admin}  portway {}  {state}\nstarted    {} ago\nrevision   {}\ncores      {}\n",
        text(data, "/version"),
        moment::ago(&text(data, "/started_at")),
        text(data, "/revision"),
        text(data, "/cores"),
    );
    if let Some(store) = data.get("store").filter(|store| store.is_object()) {
        let mut words = vec![text(store, "/kind"), text(store, "/path")];
        words.push(moment::bytes(&store["bytes"]));
        words.push(counted(&store["resources"], "resource", "resources"));
        words.push(format!("revision {}", text(store, "/revision")));
        words.retain(|word| !word.is_empty());
        let store = words.join(", ");
        lines += &format!("store      {store}\n");
    }
    let listeners = items(data, "/listeners").iter();
    let listeners =
        listeners.map(|one| format!("{} {}", text(one, "/name"), text(one, "/address")));
    lines += &format!("listeners  {}\n", listeners.collect::<Vec<_>>().join(", "));
    if let Some(counts) = data.get("counts").and_then(Value::as_object) {
        let counts = counts.iter().filter(|(_, count)| count.as_u64() != Some(0));
        let counts: Vec<_> = counts
            .map(|(plural, count)| {
                let kind = Kind::ALL.iter().find(|kind| kind.plural() == plural);
                counted(count, kind.map_or(plural, |kind| kind.singular()), plural)
            })
            .collect();
        lines += &format!("holds      {}\n", counts.join(", "));
    }
    for origin in items(data, "/origins") {
        let state = match origin["applied"] == true {
            true => "in force".to_owned(),
            false => format!("{RED}rejected{RED:#}"),
        };
        lines += &format!("origin     {}: {state}\n", text(origin, "/origin"));
        for problem in items(origin, "/problems") {
            let (message, code) = (text(problem, "/message"), text(problem, "/code"));
            let at = match text(problem, "/place/line") {
                line if line.is_empty() => text(problem, "/path"),
                line => format!("{}:{line}", text(problem, "/place/file")),
            };
            lines += &format!("           {at} {message} ({code})\n");
        }
    }
    lines
}

fn counted(count: &Value, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_told() {
        let data = json!({
            "version": "1.0", "started_at": "x", "revision": 7, "ready": false, "cores": 2,
            "listeners": [{ "name": "web", "address": "0.0.0.0:80" }],
            "origins": [{ "origin": "file:/a", "applied": false, "problems": [
                { "code": "c", "message": "m", "path": "p", "place": { "file": "/a", "line": 3 } }] }],
            "store": {
                "origin": "store", "kind": "embedded", "path": "/var/portway.redb",
                "bytes": 2048, "revision": 4, "resources": 1,
            },
            "counts": { "routes": 2, "services": 1, "domains": 0 },
        });
        assert_eq!(
            anstream::adapter::strip_str(&told("http://a", &data)).to_string(),
            "http://a  portway 1.0  not ready\nstarted    x ago\nrevision   7\ncores      2\n\
             store      embedded, /var/portway.redb, 2.0 KiB, 1 resource, revision 4\n\
             listeners  web 0.0.0.0:80\nholds      2 routes, 1 service\n\
             origin     file:/a: rejected\n           /a:3 m (c)\n"
        );
    }
}
