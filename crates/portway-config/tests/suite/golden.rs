//! Each document beside what comes of it. `UPDATE_GOLDEN=1` writes that anew; read the difference.

use std::{collections::BTreeSet, env, fs, path::Path};

use portway_config::{CODES, Colour, Config, Problem, Texts, render, render_warnings};

use crate::documents::{documents, folder, read, serve};

#[test]
fn documents_with_problems() {
    compare("problems", |name, result| {
        assert!(result.is_err(), "{name} has no problem");
    });
}

#[test]
fn documents_without_problems() {
    compare("ok", |name, result| {
        if let Err(problems) = result {
            panic!("{name}: {problems:?}");
        }
    });
}

#[test]
fn documents_of_restgate() {
    compare("restgate", |name, result| {
        assert_eq!(result.is_err(), name.starts_with("bad-"), "{name}: {result:?}");
    });
}

/// The file of each code is known, so that none is without an example.
#[test]
fn every_code_has_a_document() {
    let mut seen = BTreeSet::new();
    for path in ["problems", "ok", "restgate"].iter().flat_map(|kind| documents(kind)) {
        let (name, bytes) = read(&path);
        let found = match serve(&bytes, &name) {
            Ok(checked) => checked.warnings().to_vec(),
            Err(problems) => problems,
        };
        seen.extend(found.into_iter().map(|problem| problem.code));
    }
    // Of several documents, of resources that stand by themselves, of builds with fewer features.
    seen.extend([
        "not_in_this_build",
        "owned_elsewhere",
        "name_mismatch",
        "foreign_key",
        "bad_document",
        "empty_directory",
    ]);
    let known: BTreeSet<_> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(known, seen);
}

/// A code in the source that the list does not have would reach programs that do not know it.
#[test]
fn every_code_in_the_source_is_listed() {
    let known: BTreeSet<_> = CODES.iter().map(|(code, _)| *code).collect();
    let sources = ["src", "../portway-plugin/src/value"];
    let mut found = BTreeSet::new();
    for source in sources {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        for text in rust_files(&folder) {
            let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            let squeezed: String = code.split_whitespace().collect::<Vec<_>>().join("");
            for start in ["Problem::new(\"", ".code(\"", "code:\""] {
                let parts = squeezed.split(start).skip(1);
                let words = parts.filter_map(|rest| rest.split('"').next());
                found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
            }
        }
    }
    assert!(found.len() > 30, "{found:?}");
    let unlisted: Vec<_> = found.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

fn rust_files(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

fn compare(kind: &str, inspect: impl Fn(&str, &Result<(), Vec<Problem>>)) {
    let mut wrong = Vec::new();
    for path in documents(kind) {
        let (name, bytes) = read(&path);
        let result = serve(&bytes, &name);
        let texts = Texts::of(&name, String::from_utf8_lossy(&bytes));
        let actual = match &result {
            Err(problems) => render(problems, &texts, Colour::None),
            Ok(checked) => {
                let warnings = render_warnings(checked.warnings(), &texts, Colour::None);
                let gap = if warnings.is_empty() { "" } else { "\n" };
                format!("{warnings}{gap}{}\n", said(checked))
            }
        };
        inspect(&name, &result.map(drop));
        assert!(!actual.contains("nobody"), "{name} shows a secret:\n{actual}");
        let expected = folder().join(kind).join(format!("{name}.expected"));
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&expected, actual).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != actual {
            wrong.push(format!("{kind}/{name} gives:\n{actual}"));
        }
    }
    assert!(wrong.is_empty(), "run with UPDATE_GOLDEN=1 if this is right\n{}", wrong.join("\n"));
}

/// The configuration without what is as always, and without what references brought in.
fn said(config: &Config) -> String {
    let serde_json::Value::Object(usual) = serde_json::to_value(Config::default()).unwrap() else {
        panic!("a configuration is a map");
    };
    let mut said = serde_json::to_value(config).unwrap();
    if let Some(said) = said.as_object_mut() {
        said.retain(|key, value| usual.get(key) != Some(value));
    }
    let said = serde_json::to_string_pretty(&said).unwrap();
    said.replace("t0ken of nobody", "(the token)").replace("k3y%20of%20nobody", "(the key)")
}
