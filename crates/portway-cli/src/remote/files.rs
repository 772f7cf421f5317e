//! Files with resources: several become one document, and what is wrong with that is told of the
//! file and line where it stands.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use portway::config::{Problem, Tree};
use serde_json::{Map, Value};

use super::{client::Refusal, progress::Progress};
use crate::terminal;

const EXTENSIONS: &[&str] = &["yaml", "yml", "json", "toml"];

/// One file.
#[derive(Debug)]
struct Part {
    name: PathBuf,
    text: String,
    tree: Tree,
    /// Which items of each list of the whole are this file's.
    items: BTreeMap<String, Range<usize>>,
}

/// Several files as one document.
#[derive(Debug)]
pub(super) struct Bundle {
    parts: Vec<Part>,
    pub(super) document: Value,
}

/// One file that cannot be read is told at once; `Err` holds nothing more to say.
pub(super) struct Unreadable;

impl Bundle {
    /// Reads files and folders; `-` is standard input. What is wrong with them is told.
    pub(super) fn read(named: &[PathBuf]) -> anyhow::Result<Result<Self, Unreadable>> {
        let mut paths = Vec::new();
        for path in named {
            gather(path, true, &mut paths)?;
        }
        if paths.is_empty() {
            bail!("there is no file with the ending {} in there", EXTENSIONS.join(", "));
        }
        let progress = Progress::of(paths.len(), "reading files");
        let (mut parts, mut is_readable) = (Vec::with_capacity(paths.len()), true);
        for name in paths {
            let (text, tree) = read(&name)?;
            match tree {
                Ok(tree) => parts.push(Part { name, text, tree, items: BTreeMap::new() }),
                Err(problems) => {
                    progress.clear();
                    terminal::file_problems(&name, &problems, &text);
                    is_readable = false;
                }
            }
            progress.advance();
        }
        progress.clear();
        if !is_readable {
            return Ok(Err(Unreadable));
        }
        let document = merge(&mut parts)?;
        Ok(Ok(Self { parts, document }))
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Tells what the gateway found wrong, file by file.
    pub(super) fn tell(&self, refusal: Refusal) {
        let mut by_part: BTreeMap<usize, Vec<Problem>> = BTreeMap::new();
        let mut homeless = Vec::new();
        for said in refusal.problems {
            let mut problem = said.problem();
            match self.locate(&mut problem) {
                Some(part) => by_part.entry(part).or_default().push(problem),
                None => homeless.push(problem),
            }
        }
        for (part, mut problems) in by_part {
            let Part { name, text, .. } = &self.parts[part];
            problems.sort_by_key(|problem| problem.place.as_ref().map(|p| (p.line, p.column)));
            terminal::file_problems(name, &problems, text);
        }
        terminal::loose_problems(&homeless);
    }

    /// Gives a problem its place in the file it is about, and returns which that is.
    fn locate(&self, problem: &mut Problem) -> Option<usize> {
        if let Some((list, index, rest)) = item(&problem.path) {
            let with = |part: &Part| part.items.get(list).is_some_and(|own| own.contains(&index));
            let at = self.parts.iter().position(with)?;
            let part = &self.parts[at];
            problem.path = format!("{list}[{}]{rest}", index - part.items[list].start);
            problem.place = Some(part.tree.place(&problem.path));
            return Some(at);
        }
        let key = problem.path.split(['.', '[']).next().filter(|key| !key.is_empty());
        let has_it = |part: &Part| key.is_some_and(|key| part.tree.to_json().get(key).is_some());
        let only = (self.parts.len() == 1).then_some(0);
        let at = self.parts.iter().position(has_it).or(only)?;
        problem.place = Some(self.parts[at].tree.place(&problem.path));
        Some(at)
    }
}

/// The text of one file, and what it says.
pub(super) fn read(path: &Path) -> anyhow::Result<(String, Result<Tree, Vec<Problem>>)> {
    let shown = path.display();
    let bytes = if is_stdin(path) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        bytes
    } else {
        fs::read(path).with_context(|| format!("cannot read {shown}"))?
    };
    let name = if is_stdin(path) { "stdin".to_owned() } else { shown.to_string() };
    let text = match portway::config::decode(&bytes, &name) {
        Ok(text) => text.to_owned(),
        Err(problem) => return Ok((String::new(), Err(vec![problem]))),
    };
    let tree = Tree::parse(&text, &name);
    Ok((text, tree))
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Files as they are named; of folders, those with a known ending, in the order of names.
fn gather(path: &Path, is_named: bool, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !is_stdin(path) && path.is_dir() {
        let shown = path.display();
        let mut entries = fs::read_dir(path)
            .and_then(|entries| {
                entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()
            })
            .with_context(|| format!("cannot read {shown}"))?;
        entries.sort();
        for entry in entries {
            let is_hidden =
                entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !is_hidden {
                gather(&entry, false, paths)?;
            }
        }
        return Ok(());
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if is_named || EXTENSIONS.contains(&ending) {
        paths.push(path.to_owned());
    }
    Ok(())
}

/// Puts lists of the same name one behind the other.
fn merge(parts: &mut [Part]) -> anyhow::Result<Value> {
    let mut whole = Map::new();
    for part in parts {
        let said = part.tree.to_json();
        let Value::Object(said) = said else {
            bail!("{} is no map of lists such as services and routes", part.name.display());
        };
        for (key, value) in said {
            match (whole.get_mut(&key), value) {
                (Some(Value::Array(list)), Value::Array(more)) => {
                    part.items.insert(key, list.len()..list.len() + more.len());
                    list.extend(more);
                }
                (None | Some(Value::Null), value) => {
                    if let Value::Array(list) = &value {
                        part.items.insert(key.clone(), 0..list.len());
                    }
                    whole.insert(key, value);
                }
                (Some(_), Value::Null) => {}
                (Some(there), value) if *there == value => {}
                (Some(_), _) => {
                    bail!("{} says {key} otherwise than a file before it", part.name.display())
                }
            }
        }
    }
    Ok(Value::Object(whole))
}

/// `services[0].name` → `("services", 0, ".name")`.
fn item(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, rest) = rest.split_once(']')?;
    if list.contains('.') {
        return None;
    }
    Some((list, index.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(texts: &[(&str, &str)]) -> anyhow::Result<Bundle> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in texts {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Ok(Bundle::read(&[folder.path().to_owned()])?.map_err(|_| ()).unwrap())
    }

    #[test]
    fn files_become_one_document_and_problems_go_back_to_them() {
        let bundle = bundle(&[
            ("a.yaml", "services: [{name: a}]\nroutes:\n"),
            ("b/c.json", r#"{"services": [{"name": "b"}, {"name": "c"}]}"#),
            ("b/d.toml", "[[routes]]\nname = \"d\"\n"),
            (".hidden.yaml", "nonsense: ["),
            ("notes.txt", "nonsense: ["),
        ])
        .unwrap();
        let names = bundle.document["services"].as_array().unwrap();
        assert_eq!(names.iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(bundle.document["routes"][0]["name"], "d");

        let mut problem = Problem::new("bad_value", "no").at("services[2].name");
        assert_eq!(bundle.locate(&mut problem), Some(1));
        assert_eq!(problem.path, "services[1].name");
        let place = problem.place.unwrap();
        assert!(place.file.ends_with("b/c.json"), "{place:?}");
        assert_eq!((place.line, place.column), (1, 39));
        let mut problem = Problem::new("bad_value", "no").at("routes[0]");
        assert_eq!(bundle.locate(&mut problem), Some(2));
        let mut problem = Problem::new("bad_value", "no").at("services[9].name");
        assert_eq!(bundle.locate(&mut problem), None);
    }

    #[test]
    fn files_do_not_contradict_each_other() {
        let same = [("a.yaml", "admin: {enabled: true}"), ("b.yaml", "admin: {enabled: true}")];
        assert!(bundle(&same).is_ok());
        let other = [("a.yaml", "stream_drain: 1s"), ("b.yaml", "stream_drain: 2s")];
        let error = bundle(&other).unwrap_err().to_string();
        assert!(error.contains("b.yaml says stream_drain otherwise"), "{error}");
    }
}
