//! Which operation a request asks for, by its method and path.

use http::Method;

use super::operation::{OPERATIONS, Operation};

/// What was found for a method and a path.
pub(crate) enum Found {
    /// An operation, and what stands for the names in its path.
    Operation(&'static Operation, Vec<(&'static str, String)>),
    /// The path is known, the method is not; these are.
    Methods(Vec<Method>),
    /// Nothing.
    Nothing,
}

/// Looks an operation up. The first path that fits decides: `/documents/a` is never a resource of
/// the kind `documents`, whatever the method.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let mut methods = Vec::new();
    let mut pattern = None;
    for operation in OPERATIONS {
        if pattern.is_some_and(|pattern| pattern != operation.path) {
            continue;
        }
        let Some(params) = fits(operation.path, path) else { continue };
        if operation.method == *method {
            return Found::Operation(operation, params);
        }
        pattern = Some(operation.path);
        methods.push(operation.method.clone());
    }
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
}

fn fits(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut params = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(wanted), Some(given)) => match name(wanted) {
                Some(name) if !given.is_empty() => {
                    let decoded = percent_encoding::percent_decode_str(given);
                    params.push((name, decoded.decode_utf8().ok()?.into_owned()));
                }
                None if wanted == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

fn name(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_operations() {
        let found = |method: Method, path: &str| match find(&method, path) {
            Found::Operation(operation, params) => {
                let values: Vec<_> = params.into_iter().map(|(_, value)| value).collect();
                format!("{} {}", operation.id, values.join(","))
            }
            Found::Methods(methods) => format!("{methods:?}"),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found(Method::GET, "/api/v1/status"), "status ");
        assert_eq!(found(Method::GET, "/api/v1/routes"), "listResources routes");
        assert_eq!(found(Method::PUT, "/api/v1/routes/a%2eb"), "putResource routes,a.b");
        assert_eq!(found(Method::POST, "/api/v1/routes/a"), "[GET, PUT, PATCH, DELETE]");
        assert_eq!(found(Method::POST, "/api/v1/documents/a"), "[GET, PUT, PATCH, DELETE]");
        assert_eq!(found(Method::GET, "/api/v1/explain"), "[POST]");
        assert_eq!(found(Method::GET, "/api/v1/routes/"), "nothing");
        assert_eq!(found(Method::GET, "/api/v2/routes"), "nothing");
        assert_eq!(found(Method::GET, "/"), "nothing");
    }

    #[test]
    fn no_operation_hides_another_one() {
        for (at, operation) in OPERATIONS.iter().enumerate() {
            let example = operation.path.replace(['{', '}'], "");
            let Found::Operation(found, _) = find(&operation.method, &example) else {
                panic!("{} leads nowhere", operation.path)
            };
            assert_eq!(found.id, operation.id);
            let same = OPERATIONS[..at].iter().any(|earlier| earlier.id == operation.id);
            assert!(!same, "{}", operation.id);
        }
    }
}
