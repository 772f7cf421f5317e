//! Directories of files, and secrets that somebody else has.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use portway_config::{Catalog, Origin, Outcome, Revision, Source};
use tokio::runtime::Handle;

use super::{DEADLINE, FileSource, Pace, Vault, Wanted, text, write};

/// A directory `conf` that is being watched.
struct Watched {
    folder: tempfile::TempDir,
    source: FileSource,
}

/// What is gone is believed at once.
const HASTY: Duration = Duration::from_millis(100);

impl Watched {
    fn new(prepare: impl FnOnce(&Path)) -> Self {
        Self::at(Pace { quiet: HASTY, ..Pace::default() }, &Vault::default(), prepare)
    }

    fn at(pace: Pace, vault: &Vault, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("conf");
        fs::create_dir(&conf).unwrap();
        prepare(&conf);
        let wanted = Wanted::new(vec![conf], &Catalog::default(), vault.clone());
        Self { source: FileSource::start_at(wanted, &Handle::current(), pace), folder }
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("conf")
    }

    fn write(&self, name: &str, word: &str) {
        write(&self.conf(), name, &text(word));
    }

    async fn next(&mut self) -> Revision {
        let next = tokio::time::timeout(DEADLINE, self.source.next()).await;
        next.expect("no revision came").unwrap()
    }

    async fn words(&mut self) -> String {
        words(&self.next().await)
    }

    /// Waits for these words: what changed in several steps may be told in several.
    async fn become_words(&mut self, wanted: &str) {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last| last != wanted) {
            let next = tokio::time::timeout(DEADLINE, self.source.next()).await;
            seen.push(words(&next.unwrap_or_else(|_| panic!("only {seen:?}")).unwrap()));
        }
    }

    /// Nothing is waiting to be told: the next event is that of another change.
    async fn nothing_more(&mut self) {
        tokio::time::sleep(HASTY * 3).await;
        fs::remove_dir_all(self.conf()).unwrap();
        assert_eq!(self.words().await, "unreadable_file");
    }
}

/// The names of the routes, or the codes of the problems with the names of their files.
fn words(revision: &Revision) -> String {
    let words: Vec<_> = match &revision.content {
        Ok(loaded) => {
            loaded.config.routes.iter().map(|route| route.meta.name.to_string()).collect()
        }
        Err(problems) => problems
            .iter()
            .map(|problem| match &problem.place {
                Some(place) => format!("{} {}", problem.code, file_name(&place.file)),
                None => problem.code.to_owned(),
            })
            .collect(),
    };
    words.join(", ")
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().unwrap().to_string_lossy().into_owned()
}

fn one_and_two(conf: &Path) {
    write(conf, "b.yaml", &text("two"));
    write(conf, "a.yaml", &text("one"));
}

#[tokio::test]
async fn all_files_are_read_together_and_each_owns_what_it_says() {
    let mut watched = Watched::new(|conf| {
        one_and_two(conf);
        fs::create_dir(conf.join("c")).unwrap();
        write(conf, "c/d.json", r#"{"routes": [{"name": "three", "target": {"reply": {}}}]}"#);
        write(conf, "README.md", "not: [configuration");
        write(conf, ".a.yaml.swp", "not: [configuration");
    });
    let revision = watched.next().await;
    assert_eq!(words(&revision), "one, two, three");
    assert!(revision.origin.as_str().ends_with("/conf"), "{}", revision.origin);
    let places = &revision.content.as_ref().unwrap().places;
    let owners = [0, 1, 2].map(|at| file_name(places.owner(&format!("routes[{at}]")).as_str()));
    assert_eq!(owners, ["a.yaml", "b.yaml", "d.json"]);
}

#[tokio::test]
async fn files_that_come_change_move_and_go_are_told() {
    let mut watched = Watched::new(one_and_two);
    assert_eq!(watched.words().await, "one, two");
    watched.write("c.yaml", "three");
    assert_eq!(watched.words().await, "one, two, three");
    watched.write("a.yaml", "first");
    assert_eq!(watched.words().await, "first, two, three");
    fs::rename(watched.conf().join("a.yaml"), watched.conf().join("z.yaml")).unwrap();
    watched.become_words("two, three, first").await;
    fs::remove_file(watched.conf().join("b.yaml")).unwrap();
    assert_eq!(watched.words().await, "three, first");
    watched.write("README.md", "readme");
    watched.write(".hidden.yaml", "hidden");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_new_file_is_read_when_it_is_whole() {
    let mut watched = Watched::at(Pace::default(), &Vault::default(), one_and_two);
    assert_eq!(watched.words().await, "one, two");
    let mut file = fs::File::create(watched.conf().join("c.yaml")).unwrap();
    std::io::Write::write_all(&mut file, text("half").as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    file.set_len(0).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    std::io::Write::write_all(&mut file, text("whole").as_bytes()).unwrap();
    drop(file);
    assert_eq!(watched.words().await, "one, two, whole");
}

#[tokio::test]
async fn directories_that_come_and_go_are_told() {
    let mut watched = Watched::new(one_and_two);
    assert_eq!(watched.words().await, "one, two");
    fs::create_dir(watched.conf().join("sub")).unwrap();
    watched.write("sub/c.yaml", "three");
    watched.become_words("one, two, three").await;
    watched.write("sub/c.yaml", "third");
    watched.become_words("one, two, third").await;
    let aside = watched.folder.path().join("aside");
    fs::rename(watched.conf().join("sub"), &aside).unwrap();
    assert_eq!(watched.words().await, "one, two");
    fs::rename(&aside, watched.conf().join("back")).unwrap();
    assert_eq!(watched.words().await, "one, two, third");
    watched.write("back/c.yaml", "again");
    assert_eq!(watched.words().await, "one, two, again");
}

#[tokio::test]
async fn a_wrong_file_is_named_and_so_is_every_other_one() {
    let mut watched = Watched::new(one_and_two);
    assert_eq!(watched.words().await, "one, two");
    watched.write("b.yaml", "one");
    // Only a check sees both.
    assert_eq!(watched.words().await, "one, one");
    write(
        &watched.conf(),
        "b.yaml",
        "routes: [{name: x, match: {path: /x}, target: {reply: {}}, y: 1}]\nz: 1\n",
    );
    assert_eq!(watched.words().await, "unknown_key b.yaml, unknown_key b.yaml");
    write(&watched.conf(), "a.yaml", "routes: [");
    assert_eq!(watched.words().await, "syntax a.yaml, unknown_key b.yaml, unknown_key b.yaml");
    one_and_two(&watched.conf());
    watched.become_words("one, two").await;
}

/// What the kubelet does with a mounted `ConfigMap` that is a directory.
#[tokio::test]
async fn a_swapped_directory_is_seen() {
    let mut watched = Watched::new(|conf| {
        fs::create_dir(conf.join("..2026_1")).unwrap();
        one_and_two(&conf.join("..2026_1"));
        symlink("..2026_1", conf.join("..data")).unwrap();
        symlink("..data/a.yaml", conf.join("a.yaml")).unwrap();
        symlink("..data/b.yaml", conf.join("b.yaml")).unwrap();
    });
    assert_eq!(watched.words().await, "one, two");
    let conf = watched.conf();
    // One key is changed, one is new, one is gone.
    fs::create_dir(conf.join("..2026_2")).unwrap();
    watched.write("..2026_2/a.yaml", "first");
    watched.write("..2026_2/c.yaml", "three");
    symlink("..2026_2", conf.join("..data_tmp")).unwrap();
    fs::rename(conf.join("..data_tmp"), conf.join("..data")).unwrap();
    symlink("..data/c.yaml", conf.join("c.yaml")).unwrap();
    fs::remove_file(conf.join("b.yaml")).unwrap();
    fs::remove_dir_all(conf.join("..2026_1")).unwrap();
    watched.become_words("first, three").await;
    watched.write("..2026_2/c.yaml", "third");
    assert_eq!(watched.words().await, "first, third");
}

#[tokio::test]
async fn an_empty_directory_says_nothing_and_a_missing_one_is_a_failure() {
    let mut watched = Watched::new(|_| {});
    let revision = watched.next().await;
    let config = revision.content.unwrap().check().unwrap();
    let warnings: Vec<_> = config.warnings().iter().map(|warning| warning.code).collect();
    assert_eq!(warnings, ["empty_directory", "no_routes"]);
    watched.write("a.yaml", "one");
    assert_eq!(watched.words().await, "one");
    fs::rename(watched.conf(), watched.folder.path().join("aside")).unwrap();
    assert_eq!(watched.words().await, "unreadable_file");
    fs::create_dir(watched.conf()).unwrap();
    watched.write("b.yaml", "two");
    watched.become_words("two").await;
}

#[tokio::test]
async fn without_notices_directories_are_looked_at() {
    let poll = Duration::from_millis(50);
    let pace = Pace { notices: false, poll, ..Pace::default() };
    let mut watched = Watched::at(pace, &Vault::default(), one_and_two);
    assert_eq!(watched.words().await, "one, two");
    watched.write("c.yaml", "three");
    assert_eq!(watched.words().await, "one, two, three");
    fs::remove_file(watched.conf().join("a.yaml")).unwrap();
    assert_eq!(watched.words().await, "two, three");
    fs::create_dir(watched.conf().join("d")).unwrap();
    watched.write("d/e.yaml", "four");
    assert_eq!(watched.words().await, "two, three, four");
}

fn secret(namespace: &str, value: &str) -> [((String, String), String); 1] {
    [((namespace.to_owned(), "word".to_owned()), value.to_owned())]
}

#[tokio::test]
async fn a_secret_that_changes_is_read_again() {
    let (vault, store) = (Vault::default(), Origin::store());
    vault.set(&store, secret("default", "first"));
    let pace = Pace { quiet: HASTY, ..Pace::default() };
    let mut watched =
        Watched::at(pace, &vault, |conf| write(conf, "a.yaml", &text("${secret:word}")));
    assert_eq!(watched.words().await, "first");
    vault.set(&store, secret("default", "second"));
    assert_eq!(watched.words().await, "second");
    // That of another namespace is out of reach.
    vault.set(&store, secret("shop", "third"));
    assert_eq!(watched.words().await, "unknown_secret a.yaml");
    vault.set(&store, secret("default", "fourth"));
    assert_eq!(watched.words().await, "fourth");
    vault.set(&store, [secret("default", "fourth"), secret("shop", "fifth")].concat());
    watched.nothing_more().await;
}

#[tokio::test]
async fn files_have_the_secrets_of_each_other_and_lend_them_when_they_are_served() {
    let own = |value| format!("secrets: [{{name: word, value: {value}}}]");
    let (vault, pace) = (Vault::default(), Pace { quiet: HASTY, ..Pace::default() });
    let mut watched = Watched::at(pace, &vault, |conf| {
        write(conf, "a.yaml", &text("${secret:word}"));
        write(conf, "b.yaml", &own("first"));
    });
    assert_eq!(watched.words().await, "first");
    let id = secret("default", "")[0].0.clone();
    let lent = || vault.get(&id, &Origin::store());
    assert_eq!(lent(), None);
    watched.source.learn(&Outcome::Applied { number: 1, warnings: Vec::new() });
    assert_eq!(lent().as_deref(), Some("first"));
    write(&watched.conf(), "b.yaml", &own("second"));
    assert_eq!(watched.words().await, "second");
    watched.source.learn(&Outcome::Rejected { number: 2, problems: Vec::new() });
    assert_eq!(lent().as_deref(), Some("first"));
    // What they had themselves does not help them.
    fs::remove_file(watched.conf().join("b.yaml")).unwrap();
    assert_eq!(watched.words().await, "unknown_secret a.yaml");
}
