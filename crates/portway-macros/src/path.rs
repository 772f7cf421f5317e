//! The paths of routes, as far as a macro can see what is wrong with them. The gateway reads them
//! again when it is built.

use syn::LitStr;

/// The names of the placeholders of a route's path.
pub(crate) fn placeholders(path: &LitStr) -> syn::Result<Vec<String>> {
    let text = path.value();
    let wrong = |message: String| syn::Error::new(path.span(), message);
    if !text.starts_with('/') {
        return Err(wrong(format!("the path begins with a slash: \"/{text}\"")));
    }
    if let Some(odd) = text.chars().find(|c| matches!(c, '?' | '#') || c.is_whitespace()) {
        return Err(wrong(format!("a path has no {odd:?}")));
    }
    let mut names: Vec<String> = Vec::new();
    let segments: Vec<_> = text[1..].split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        for name in in_braces(segment).map_err(wrong)? {
            if name.starts_with('*') && (at + 1 != segments.len() || !is_whole(segment)) {
                let message = format!(
                    "`{{{name}}}` takes all that follows: it is a whole segment, \
                                       and the last one"
                );
                return Err(wrong(message));
            }
            let name = name.trim_start_matches('*');
            let name = name.split(':').next().unwrap_or_default().to_owned();
            if !is_name(&name) {
                return Err(wrong(format!(
                    "`{{{name}}}` is no placeholder: a name is of letters, \
                                          digits and `_`"
                )));
            }
            if names.contains(&name) {
                return Err(wrong(format!("the placeholder `{{{name}}}` comes twice")));
            }
            names.push(name);
        }
    }
    Ok(names)
}

/// Sees to it that a template has no placeholders but those of the route.
pub(crate) fn template(to: &LitStr, known: &[String]) -> syn::Result<()> {
    let text = to.value();
    let wrong = |message: String| syn::Error::new(to.span(), message);
    if !text.starts_with('/') {
        return Err(wrong(format!("the path begins with a slash: \"/{text}\"")));
    }
    for name in in_braces(&text).map_err(wrong)? {
        let bare = name.trim_start_matches('*');
        if !known.iter().any(|other| other == bare) {
            let known: Vec<_> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
            let has = match &known[..] {
                [] => "the path of the route has none".to_owned(),
                known => format!("the path of the route has {}", known.join(", ")),
            };
            return Err(wrong(format!("there is no placeholder `{{{bare}}}`: {has}")));
        }
    }
    Ok(())
}

/// A path whose placeholders have no names, to find two routes that are the same.
pub(crate) fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut rest = path;
    while let Some((text, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
        let pattern = name.split_once(':').map(|(_, pattern)| pattern).unwrap_or_default();
        let star = if name.starts_with('*') { "*" } else { "" };
        shape.push_str(&format!("{text}{{{star}{pattern}}}"));
        rest = behind;
    }
    shape.push_str(rest);
    shape
}

fn is_whole(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What stands in braces. Braces of an expression (`{id:[0-9]{3}}`) belong to it.
fn in_braces(text: &str) -> Result<Vec<String>, String> {
    let (mut found, mut depth, mut name) = (Vec::new(), 0_usize, String::new());
    for c in text.chars() {
        match (c, depth) {
            ('{', 0) => depth = 1,
            ('}', 0) => return Err("a `}` without its `{`".to_owned()),
            ('}', 1) => {
                depth = 0;
                found.push(std::mem::take(&mut name));
            }
            (_, 0) => {}
            (c, _) => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                name.push(c);
            }
        }
    }
    if depth > 0 { Err("a `{` without its `}`".to_owned()) } else { Ok(found) }
}
