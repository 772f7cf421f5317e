//! `portway explain`.

use std::process::ExitCode;

use anstyle::{AnsiColor, Effects, Style};
use anyhow::bail;
use serde_json::{Map, Value, json};

use super::client;
use crate::{
    remote::{
        args::Explain,
        client::{Request, escaped},
        show::{self, items, text},
    },
    terminal::UsageError,
};

const GREEN: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);

pub(super) async fn explain(args: &Explain) -> anyhow::Result<ExitCode> {
    if let Some(id) = &args.live {
        let client = client(&args.connection)?;
        let said = client.ask(Request::get(&format!("/explain/{}", escaped(id)))).await?;
        show::value(args.output.form, &said.data, told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut headers = Map::new();
    for header in &args.headers {
        let Some((name, value)) = header.split_once(':').filter(|(name, _)| !name.is_empty())
        else {
            bail!(UsageError("write a header field as in -H 'X-Tenant: acme'".to_owned()));
        };
        headers.insert(name.trim().to_lowercase(), value.trim().into());
    }
    let mut body = json!({
        "method": args.method.as_deref().unwrap_or_default().to_uppercase(),
        "url": args.url,
        "headers": headers,
    });
    if let Some(client) = args.client {
        body["client"] = client.to_string().into();
    }
    if let Some(listener) = &args.listener {
        body["listener"] = listener.as_str().into();
    }
    let client = client(&args.connection)?;
    let said = client.ask(Request::post("/explain").json(&body)).await?;
    show::value(args.output.form, &said.data, told)?;
    Ok(ExitCode::SUCCESS)
}

fn told(data: &Value) -> String {
    let mut lines = String::new();
    for word in ["listener", "domain", "namespace", "host", "path"] {
        let value = match &data[word] {
            Value::Object(map) => map.get("name").map(|name| text(name, "")).unwrap_or_default(),
            _ => text(data, &format!("/{word}")),
        };
        if !value.is_empty() {
            lines += &format!("{word:<10} {value}\n");
        }
    }
    let candidates = items(data, "/candidates");
    if !candidates.is_empty() {
        lines += "candidates\n";
    }
    for one in candidates {
        let route = text(one, "/route");
        let (detail, reason) = (detail(&one["detail"]), text(one, "/ruled_out_by"));
        lines += &match reason.is_empty() {
            true => format!("  {GREEN}✓ {route}{GREEN:#}  {detail}").trim_end().to_owned(),
            false => format!("  {DIM}✗ {route}{DIM:#}  {reason}: {detail}")
                .trim_end_matches([' ', ':'])
                .to_owned(),
        };
        lines.push('\n');
    }
    let route = match &data["route"] {
        Value::Object(map) => map.get("name").map(|name| text(name, "")).unwrap_or_default(),
        _ => text(data, "/route"),
    };
    lines += &match route.as_str() {
        "" => "route      none takes it\n".to_owned(),
        route => format!("route      {GREEN}{route}{GREEN:#}\n"),
    };
    for (at, step) in items(data, "/chain").iter().enumerate() {
        let word = if at == 0 { "plugins" } else { "" };
        let condition = Some(text(step, "/condition")).filter(|text| !text.is_empty());
        let condition = condition.map(|text| format!(" when {text}")).unwrap_or_default();
        let (plugin, level) = (text(step, "/plugin"), text(step, "/level"));
        lines += &format!("{word:<10} {plugin} ({level}){condition}\n");
    }
    match &data["target"] {
        Value::Null => {}
        Value::Object(target) => {
            lines += "target\n";
            let inner = show::yaml::document(&Value::Object(target.clone()));
            lines.extend(inner.lines().map(|line| format!("  {line}\n")));
        }
        other => lines += &format!("target     {}\n", text(other, "")),
    }
    for (at, step) in items(data, "/steps").iter().enumerate() {
        let word = if at == 0 { "happened" } else { "" };
        let (plugin, decision) = (text(step, "/plugin"), text(step, "/decision"));
        lines += &format!("{word:<10} {plugin} {decision} in {}\n", millis(&step["took_ms"]));
    }
    if let Some(upstream) = data.get("upstream").filter(|upstream| upstream.is_object()) {
        let (service, endpoint) = (text(upstream, "/service"), text(upstream, "/endpoint"));
        let took = millis(&upstream["took_ms"]);
        lines += &format!("upstream   {service} {endpoint} in {took}\n");
    }
    let status = text(data, "/status");
    if !status.is_empty() {
        lines += &format!("status     {status}\n");
    }
    for (word, at) in [("error", "/error"), ("time", "/time"), ("request", "/request_id")] {
        let value = text(data, at);
        if !value.is_empty() {
            lines += &format!("{word:<10} {value}\n");
        }
    }
    if data["took_ms"].is_number() {
        lines += &format!("took       {}\n", millis(&data["took_ms"]));
    }
    lines
}

/// What ruled a candidate out: one word, several, or a condition.
fn detail(value: &Value) -> String {
    match value {
        Value::Array(words) => {
            words.iter().map(|word| text(word, "")).collect::<Vec<_>>().join(", ")
        }
        one => text(one, ""),
    }
}

fn millis(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |millis| format!("{millis:.3} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_told() {
        let data = json!({
            "listener": "web", "namespace": "default", "host": "a", "path": "/x",
            "candidates": [
                { "route": "post", "ruled_out_by": "method", "detail": ["POST", "PUT"] },
                { "route": "get", "ruled_out_by": null },
            ],
            "route": "get",
            "chain": [{ "plugin": "cors", "level": "route", "condition": "a == b" }],
            "target": { "service": "svc" },
        });
        assert_eq!(
            anstream::adapter::strip_str(&told(&data)).to_string(),
            "listener   web\nnamespace  default\nhost       a\npath       /x\ncandidates\n  \
             ✗ post  method: POST, PUT\n  ✓ get\nroute      get\n\
             plugins    cors (route) when a == b\ntarget\n  service: svc\n"
        );
        let nothing = told(&json!({ "route": null, "status": 404 }));
        assert_eq!(nothing, "route      none takes it\nstatus     404\n");
    }
}
