//! Resources in columns: what they have in common, and what is told of each kind.

use serde_json::Value;

use super::{items, moment, text};
use crate::terminal::columns;

/// A column of a kind: its heading, and what stands in it.
type Column = (&'static str, fn(&Value) -> String);

/// Resources as a table. All of them are of one kind.
pub(crate) fn resources(kind: &str, views: &[Value]) -> String {
    let own = own(kind);
    let spread =
        views.iter().any(|view| !matches!(view["namespace"].as_str(), None | Some("" | "default")));
    let mut headings = vec!["NAME"];
    if spread {
        headings.insert(0, "NAMESPACE");
    }
    headings.extend(own.iter().map(|(heading, _)| *heading));
    headings.extend(["OWNER", "REVISION", "CHANGED"]);
    let row = |view: &Value| {
        let mut cells = Vec::with_capacity(headings.len());
        if spread {
            cells.push(text(view, "/namespace"));
        }
        cells.push(text(view, "/name"));
        cells.extend(own.iter().map(|(_, cell)| short(&cell(&view["spec"]))));
        cells.push(text(view, "/owner"));
        cells.push(revision(view));
        cells.push(match text(view, "/updated_at").as_str() {
            "" => "-".to_owned(),
            time => moment::ago(time),
        });
        cells
    };
    columns(&headings, &views.iter().map(row).collect::<Vec<_>>())
}

/// What files own has no revision.
fn revision(view: &Value) -> String {
    match text(view, "/revision").as_str() {
        "" | "0" => "-".to_owned(),
        number => number.to_owned(),
    }
}

fn own(kind: &str) -> &'static [Column] {
    match kind {
        "route" => &[("METHODS", methods), ("PATH", paths), ("TARGET", target)],
        "service" => &[("URL", urls)],
        "listener" => &[("BIND", |spec| text(spec, "/bind")), ("PROTOCOL", protocol)],
        "domain" => &[
            ("PATTERNS", |spec| joined(items(spec, "/patterns"))),
            ("PRIORITY", |spec| text(spec, "/priority")),
        ],
        "consumer" => &[("GROUPS", |spec| joined(items(spec, "/groups")))],
        "collection" => &[("VISIBILITY", |spec| text(spec, "/visibility"))],
        "plugin" => &[("PLUGIN", plugin)],
        _ => &[],
    }
}

/// A cell is no page.
fn short(cell: &str) -> String {
    const MOST: usize = 60;
    if cell.chars().count() <= MOST {
        return cell.to_owned();
    }
    cell.chars().take(MOST - 1).chain(['…']).collect()
}

fn joined(list: &[Value]) -> String {
    list.iter().map(|one| text(one, "")).collect::<Vec<_>>().join(",")
}

fn matches(spec: &Value) -> Vec<&Value> {
    match spec.get("match") {
        Some(Value::Array(several)) => several.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn methods(spec: &Value) -> String {
    let mut all: Vec<String> = Vec::new();
    for one in matches(spec).into_iter().flat_map(|one| items(one, "/methods")) {
        let method = text(one, "");
        if !all.contains(&method) {
            all.push(method);
        }
    }
    if all.is_empty() { "*".to_owned() } else { all.join(",") }
}

fn paths(spec: &Value) -> String {
    let path = |one: &&Value| match one.get("path") {
        Some(Value::Object(typed)) => {
            let (kind, path) = typed.iter().next()?;
            Some(format!("{kind} {}", text(path, "")))
        }
        Some(pattern) => Some(text(pattern, "")),
        None => None,
    };
    let paths = matches(spec).iter().filter_map(path).collect::<Vec<_>>();
    if paths.is_empty() { "*".to_owned() } else { paths.join(",") }
}

fn target(spec: &Value) -> String {
    let Some((kind, what)) =
        spec.get("target").and_then(Value::as_object).and_then(|t| t.iter().next())
    else {
        return String::new();
    };
    match kind.as_str() {
        "service" => format!("service {}", text(what, "")),
        "services" => {
            let names = items(what, "").iter().map(|one| text(one, "/service"));
            format!("services {}", names.collect::<Vec<_>>().join(","))
        }
        "files" => format!("files {}", text(what, "/root")),
        "reply" | "redirect" => format!("{kind} {}", text(what, "/status")).trim_end().to_owned(),
        other => other.to_owned(),
    }
}

fn urls(spec: &Value) -> String {
    let endpoints = items(spec, "/endpoints").iter().map(|one| text(one, "/url"));
    let url = Some(text(spec, "/url")).filter(|url| !url.is_empty());
    url.into_iter().chain(endpoints).collect::<Vec<_>>().join(",")
}

fn protocol(spec: &Value) -> String {
    let named = text(spec, "/protocol");
    let protocol = if named.is_empty() { "http".to_owned() } else { named };
    if spec.get("tls").is_some_and(Value::is_object) { format!("{protocol}+tls") } else { protocol }
}

/// Of an instance, the one key that is no word about the instance itself.
fn plugin(spec: &Value) -> String {
    const ABOUT: &[&str] = &["labels", "description", "enabled", "name", "namespace"];
    let keys = spec.as_object().into_iter().flat_map(|spec| spec.keys());
    keys.filter(|key| !ABOUT.contains(&key.as_str())).cloned().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(kind: &str, views: &[Value]) -> String {
        anstream::adapter::strip_str(&resources(kind, views)).to_string()
    }

    #[test]
    fn a_kind_has_its_own_columns() {
        let route = json!({
            "name": "shop", "namespace": "default", "owner": "store", "revision": 7,
            "spec": {
                "match": [{ "path": "/a", "methods": ["GET"] }, { "path": { "prefix": "/b" }, "methods": ["GET", "PUT"] }],
                "target": { "service": "svc" },
            },
        });
        assert_eq!(
            plain("route", &[route]),
            "NAME  METHODS  PATH         TARGET       OWNER  REVISION  CHANGED\n\
             shop  GET,PUT  /a,prefix /b  service svc  store  7         -\n"
                .replace("PATH         T", "PATH          T")
        );
        let service = json!({
            "name": "a", "namespace": "shop", "owner": "file:/a.yaml", "revision": 0,
            "spec": { "endpoints": [{ "url": "http://a" }, { "url": "http://b" }] },
        });
        assert_eq!(
            plain("service", &[service]),
            "NAMESPACE  NAME  URL                OWNER         REVISION  CHANGED\n\
             shop       a     http://a,http://b  file:/a.yaml  -         -\n"
        );
        assert_eq!(plain("new-kind", &[json!({ "name": "a\u{1b}[2J" })]).lines().count(), 2);
    }
}
