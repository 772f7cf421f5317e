//! `portway watch`.

use std::{process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Effects, Style};
use http::{HeaderName, header};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{client, history::touched};
use crate::{
    remote::{
        args::{Form, Watch},
        client::{Client, Event, Events, Failure, Request},
        show::{clean, diff, items, text, yaml},
    },
    terminal::{self, print},
};

const RED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const BOLD: Style = Style::new().effects(Effects::BOLD);

/// How long to wait before asking again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

pub(super) async fn watch(args: &Watch) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let mut last = args.since.map(|revision| revision.to_string());
    let mut events = open(&client, last.as_deref()).await?;
    let mut seen = 0;
    while args.count.is_none_or(|count| seen < count) {
        let event = match events.next().await {
            Ok(event) => event,
            Err(failure) => {
                terminal::note(&format!("{failure}; asking again"));
                events = again(&client, last.as_deref()).await?;
                continue;
            }
        };
        if !event.id.is_empty() {
            last = Some(event.id.clone());
        }
        print(&shown(&event, args.output.form))?;
        seen += 1;
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(client: &Client, last: Option<&str>) -> Result<Events, Failure> {
    let mut request = Request::get("/watch").header(header::ACCEPT, "text/event-stream");
    if let Some(last) = last {
        request = request.header(HeaderName::from_static("last-event-id"), last);
    }
    client.open(request).await.map(Events::of)
}

/// Asks until the gateway is there again. What it refuses it will refuse again.
async fn again(client: &Client, last: Option<&str>) -> Result<Events, Failure> {
    let (mut pause, longest) = PAUSES;
    loop {
        sleep(pause).await;
        match open(client, last).await {
            Err(Failure::Unreachable { .. } | Failure::Foreign(_)) => {
                pause = (pause * 2).min(longest);
            }
            other => return other,
        }
    }
}

fn shown(event: &Event, form: Form) -> String {
    let data: Value =
        serde_json::from_str(&event.data).unwrap_or_else(|_| event.data.clone().into());
    match form {
        Form::Table => line(event, &data),
        Form::Json => format!("{}\n", json!({ "event": event.name, "id": event.id, "data": data })),
        Form::Yaml => {
            let whole = json!({ "event": event.name, "id": event.id, "data": data });
            format!("---\n{}", yaml::document(&whole))
        }
    }
}

fn line(event: &Event, data: &Value) -> String {
    match event.name.as_str() {
        "revision" => {
            let (number, author) = (text(data, "/revision"), text(data, "/author"));
            let number = if number.is_empty() { clean(&event.id) } else { number };
            let message = Some(text(data, "/message")).filter(|message| !message.is_empty());
            let message = message.map(|message| format!(": {message}")).unwrap_or_default();
            let changes = diff::short(&data["summary"]);
            let time = text(data, "/time");
            let touched = touched(data);
            format!(
                "{time}  {BOLD}revision {number}{BOLD:#}  {changes}  {touched}  by {author}{message}\n"
            )
        }
        "outcome" => match items(data, "/origins") {
            [] => outcome(data),
            several => several.iter().map(outcome).collect(),
        },
        "restored" => {
            format!("{BOLD}restored{BOLD:#}: the last change is {}\n", text(data, "/revision"))
        }
        other => format!("{}: {}\n", clean(other), clean(&event.data)),
    }
}

/// What became of what one owner said.
fn outcome(data: &Value) -> String {
    let origin = text(data, "/origin");
    if data["applied"] == true {
        return format!("{origin}: in force\n");
    }
    let problems = items(data, "/problems").iter();
    let told =
        problems.map(|one| format!("\n  {} ({})", text(one, "/message"), text(one, "/code")));
    format!("{origin}: {RED}rejected{RED:#}{}\n", told.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_lines() {
        let event = |name: &str, data: &str| Event {
            id: "7".to_owned(),
            name: name.to_owned(),
            data: data.to_owned(),
        };
        let plain =
            |event: &Event| anstream::adapter::strip_str(&shown(event, Form::Table)).to_string();
        let revision = event(
            "revision",
            r#"{"revision":7,"time":"t","author":"me","message":"why","summary":{"created":1},
                "changes":[{"kind":"route","namespace":"default","name":"a","action":"create"}]}"#,
        );
        assert_eq!(plain(&revision), "t  revision 7  +1  route a  by me: why\n");
        let rejected = event(
            "outcome",
            r#"{"origin":"file:/a","applied":false,"problems":[{"code":"c","message":"m"}]}"#,
        );
        assert_eq!(plain(&rejected), "file:/a: rejected\n  m (c)\n");
        assert_eq!(
            plain(&event("outcome", r#"{"origin":"store","applied":true}"#)),
            "store: in force\n"
        );
        let line = shown(&event("new", "{}"), Form::Json);
        let said: Value = serde_json::from_str(line.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(said, json!({ "event": "new", "id": "7", "data": {} }));
    }
}
