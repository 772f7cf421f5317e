//! A page that shows what is in a folder.

use std::{io, path::Path, time::SystemTime};

use http::{HeaderMap, HeaderValue, header};
use portway_plugin::{Body, Escape, Response};

use super::{
    below::{decode, is_servable, push_encoded},
    disk::Root,
};
use crate::telemetry::rfc3339;

/// How many names a page shows: what a folder holds, a request must not.
const MOST: usize = 5_000;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;\
    padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{padding:.25rem .5rem;\
    text-align:left;font-weight:normal}thead th{border-bottom:1px solid;font-weight:bold}\
    .size{text-align:right}";

/// What is in a folder: folders first, then by name.
#[derive(Debug)]
pub(super) struct Listing {
    entries: Vec<Entry>,
    /// Whether there is more than is shown.
    is_cut: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    // Folders come first.
    is_file: bool,
    name: String,
    size: u64,
    modified: Option<SystemTime>,
}

impl Listing {
    /// Reads a folder. What would not be served is not shown.
    pub(super) fn read(root: &Root, folder: &Path, hidden: bool) -> io::Result<Self> {
        let mut listing = Self { entries: Vec::new(), is_cut: false };
        let is_root = folder == root.path.join("");
        for entry in folder.read_dir()? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            let hidden = hidden || is_root && name == ".well-known";
            let Ok(metadata) = root.metadata(&folder.join(&name)) else { continue };
            if !is_servable(&name, hidden) {
                continue;
            }
            if listing.entries.len() == MOST {
                listing.is_cut = true;
                break;
            }
            listing.entries.push(Entry {
                is_file: metadata.is_file(),
                name,
                size: metadata.len(),
                modified: metadata.modified().ok(),
            });
        }
        listing.entries.sort_unstable();
        Ok(listing)
    }

    /// The page, under the path the client asked for.
    pub(super) fn page(&self, path: &str) -> Response {
        let html = self.html(path);
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(html.len()));
        // Whatever a name may contrive, the page runs nothing.
        let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        let mut response = Response::new(Body::from(html));
        *response.headers_mut() = headers;
        response
    }

    fn html(&self, path: &str) -> String {
        let title = decode(path).unwrap_or_else(|| path.to_owned());
        let title = Escape::Html.text(&title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>Index of {title}</title>\n<style>{STYLE}</style></head>\n\
             <body><main><h1>Index of {title}</h1>\n<table>\n\
             <thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"size\">Size</th>\
             <th scope=\"col\">Modified</th></tr></thead>\n<tbody>\n"
        );
        if path != "/" {
            html.push_str(
                "<tr><th scope=\"row\"><a href=\"../\">Parent folder</a></th>\
                 <td></td><td></td></tr>\n",
            );
        }
        for entry in &self.entries {
            entry.push_row(&mut html);
        }
        html.push_str("</tbody></table>\n");
        if self.is_cut {
            html.push_str(&format!("<p>There is more: this page shows {MOST} names.</p>\n"));
        }
        html.push_str("</main></body></html>\n");
        html
    }
}

impl Entry {
    fn push_row(&self, html: &mut String) {
        let slash = if self.is_file { "" } else { "/" };
        // The dot keeps a name with a colon from being read as a URL of its own.
        html.push_str("<tr><th scope=\"row\"><a href=\"./");
        push_encoded(&self.name, html);
        let name = Escape::Html.text(&self.name);
        let size = if self.is_file { shown(self.size) } else { String::new() };
        html.push_str(&format!("{slash}\">{name}{slash}</a></th><td class=\"size\">{size}</td>"));
        let modified = self.modified.map(rfc3339).unwrap_or_default();
        let day = modified.get(..16).unwrap_or_default().replace('T', " ");
        html.push_str(&format!("<td><time datetime=\"{modified}\">{day}</time></td></tr>\n"));
    }
}

/// A size for people.
fn shown(bytes: u64) -> String {
    let mut unit = 1024_u64;
    for name in ["KiB", "MiB", "GiB"] {
        let next = unit.saturating_mul(1024);
        if bytes >= unit && (bytes < next || name == "GiB") {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
        unit = next;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(shown(bytes), text);
        }
    }

    #[test]
    fn names_cannot_become_part_of_the_page() {
        let entry = |is_file, name: &str| Entry {
            is_file,
            name: name.to_owned(),
            size: 7,
            modified: Some(SystemTime::UNIX_EPOCH),
        };
        let mut entries = vec![entry(true, "a\"><script>"), entry(true, "B"), entry(false, "z")];
        entries.sort_unstable();
        let html = Listing { entries, is_cut: true }.html("/%3Ci%3E/");
        assert!(html.contains("<h1>Index of /&lt;i&gt;/</h1>"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text} in {html}"));
        assert!(at("href=\"./z/\">z/<") < at("href=\"./B\">B<"));
        assert!(at("href=\"./B\"") < at("href=\"./a%22%3E%3Cscript%3E\">a&quot;&gt;&lt;script"));
        assert!(at("datetime=\"1970-01-01T00:00:00.000Z\">1970-01-01 00:00<") > at("<tbody>"));
        assert!(html.contains("Parent folder") && html.contains("shows 5000 names"));
    }
}
