//! The source on real files.

mod directories;

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use portway_config::{Catalog, Revision, Source};
use tokio::runtime::Handle;

use super::{FileSource, Vault, reading::Wanted, watching::Pace};

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// A folder with a configuration file that is being watched.
struct Watched {
    folder: tempfile::TempDir,
    source: FileSource,
}

impl Watched {
    /// Watches `portway.yaml` in a folder that `prepare` has filled.
    fn new(prepare: impl FnOnce(&Path)) -> Self {
        Self::at(Pace::default(), prepare)
    }

    fn at(pace: Pace, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let file = folder.path().join("portway.yaml");
        Self { folder, source: source(&file, pace) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("portway.yaml")
    }

    /// The word in the next revision.
    async fn word(&mut self) -> String {
        let next = tokio::time::timeout(DEADLINE, self.source.next()).await;
        word(&next.expect("no revision came").unwrap())
    }

    /// Puts another file in the place of this one, in one step.
    fn rename_over(&self, name: &str, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Nothing is waiting to be told: the next event is that of another change. The pause lets
    /// what must not be told be read before that change, so that it would come first.
    async fn nothing_more(&mut self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.rename_over("portway.yaml", &text("sentinel"));
        assert_eq!(self.word().await, "sentinel");
    }
}

fn source(path: &Path, pace: Pace) -> FileSource {
    let wanted = Wanted::new(vec![path.to_owned()], &Catalog::default(), Vault::default());
    FileSource::start_at(wanted, &Handle::current(), pace)
}

/// The name of the only route, or the codes of the problems.
fn word(revision: &Revision) -> String {
    match &revision.content {
        Ok(loaded) => loaded.config.routes[0].meta.name.to_string(),
        Err(problems) => problems.iter().map(|problem| problem.code).collect(),
    }
}

fn text(word: &str) -> String {
    format!("routes: [{{name: \"{word}\", target: {{reply: {{body: hello}}}}}}]\n")
}

fn write(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
}

fn first(folder: &Path) {
    write(folder, "portway.yaml", &text("first"));
}

#[tokio::test]
async fn the_first_revision_tells_what_is_there() {
    let mut watched = Watched::new(first);
    let revision = watched.source.next().await.unwrap();
    assert_eq!((revision.number, word(&revision)), (1, "first".to_owned()));
    assert!(revision.origin.as_str().ends_with("/portway.yaml"));
    assert!(revision.origin.as_str().starts_with("file:/"));
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_file_written_in_two_halves_is_read_once_and_whole() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    let mut file = File::create(watched.file()).unwrap();
    // The first half alone would be a good configuration.
    file.write_all(text("half").as_bytes()).unwrap();
    file.flush().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    file.set_len(0).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file.write_all(text("whole").as_bytes()).unwrap();
    drop(file);
    assert_eq!(watched.word().await, "whole");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_file_nobody_closes_is_read_when_it_is_quiet() {
    let pace = Pace { quiet: Duration::from_millis(200), ..Pace::default() };
    let mut watched = Watched::at(pace, first);
    assert_eq!(watched.word().await, "first");
    let mut file = OpenOptions::new().append(true).open(watched.file()).unwrap();
    file.write_all(b"# more\n").unwrap();
    assert_eq!(watched.word().await, "first");
    drop(file);
}

#[tokio::test]
async fn an_atomic_rename_is_seen() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    for word in ["second", "third"] {
        watched.rename_over("portway.yaml", &text(word));
        assert_eq!(watched.word().await, word);
    }
}

#[tokio::test]
async fn the_same_content_again_is_no_news() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    write(watched.folder.path(), "portway.yaml", &text("first"));
    watched.rename_over("portway.yaml", &text("first"));
    fs::set_permissions(watched.file(), Permissions::from_mode(0o640)).unwrap();
    write(watched.folder.path(), "neighbour.yaml", &text("neighbour"));
    watched.nothing_more().await;
}

#[tokio::test]
async fn the_same_content_is_told_when_asked_for() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    watched.source.reread().ask();
    assert_eq!(watched.word().await, "first");
    watched.nothing_more().await;
}

/// What the kubelet does with a mounted `ConfigMap`.
#[tokio::test]
async fn a_swapped_link_is_seen() {
    let mut watched = Watched::new(|folder| {
        fs::create_dir(folder.join("..2026_1")).unwrap();
        write(folder, "..2026_1/portway.yaml", &text("first"));
        symlink("..2026_1", folder.join("..data")).unwrap();
        symlink("..data/portway.yaml", folder.join("portway.yaml")).unwrap();
    });
    assert_eq!(watched.word().await, "first");
    for (before, now, word) in [("1", "2", "second"), ("2", "3", "third")] {
        let now = format!("..2026_{now}");
        fs::create_dir(watched.path(&now)).unwrap();
        write(&watched.path(&now), "portway.yaml", &text(word));
        symlink(&now, watched.path("..data_tmp")).unwrap();
        fs::rename(watched.path("..data_tmp"), watched.path("..data")).unwrap();
        fs::remove_dir_all(watched.path(&format!("..2026_{before}"))).unwrap();
        assert_eq!(watched.word().await, word);
    }
    // Also the file behind the links.
    write(watched.folder.path(), "..2026_3/portway.yaml", &text("fourth"));
    assert_eq!(watched.word().await, "fourth");
}

#[tokio::test]
async fn a_deleted_file_is_a_failure_until_it_is_made_again() {
    let pace = Pace { quiet: Duration::from_millis(100), ..Pace::default() };
    let mut watched = Watched::at(pace, first);
    assert_eq!(watched.word().await, "first");
    fs::remove_file(watched.file()).unwrap();
    assert_eq!(watched.word().await, "unreadable_file");
    write(watched.folder.path(), "portway.yaml", &text("first"));
    assert_eq!(watched.word().await, "first");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_file_that_is_deleted_and_made_again_at_once_was_never_gone() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    fs::remove_file(watched.file()).unwrap();
    write(watched.folder.path(), "portway.yaml", &text("second"));
    assert_eq!(watched.word().await, "second");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_read_when_it_comes() {
    let mut watched = Watched::new(|_| {});
    assert_eq!(watched.word().await, "unreadable_file");
    watched.rename_over("portway.yaml", &text("first"));
    assert_eq!(watched.word().await, "first");
}

#[tokio::test]
async fn an_empty_file_is_a_problem_and_not_an_empty_configuration() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    for empty in ["", " \n\t\n", "# nothing\n"] {
        write(watched.folder.path(), "portway.yaml", empty);
        assert_eq!(watched.word().await, "empty_document", "{empty:?}");
        // What comes after is told, even when it is what was before.
        write(watched.folder.path(), "portway.yaml", &text("first"));
        assert_eq!(watched.word().await, "first");
    }
    watched.nothing_more().await;
}

#[tokio::test]
async fn what_is_not_text_is_a_problem() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    fs::write(watched.file(), b"routes: \xff\n").unwrap();
    assert_eq!(watched.word().await, "not_utf8");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_failure_is_told_once() {
    let pace = Pace { quiet: Duration::from_millis(20), ..Pace::default() };
    let mut watched = Watched::at(pace, |_| {});
    assert_eq!(watched.word().await, "unreadable_file");
    for _ in 0..3 {
        fs::write(watched.path("neighbour"), "").unwrap();
        symlink("nowhere", watched.file()).unwrap();
        fs::remove_file(watched.file()).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_a_problem() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    // A link to itself can be read by nobody, whatever the rights of the tests.
    fs::remove_file(watched.file()).unwrap();
    symlink("portway.yaml", watched.file()).unwrap();
    assert_eq!(watched.word().await, "unreadable_file");
    fs::remove_file(watched.file()).unwrap();
    watched.rename_over("portway.yaml", &text("second"));
    assert_eq!(watched.word().await, "second");

    fs::set_permissions(watched.file(), Permissions::from_mode(0o000)).unwrap();
    if File::open(watched.file()).is_err() {
        assert_eq!(watched.word().await, "unreadable_file");
        fs::set_permissions(watched.file(), Permissions::from_mode(0o600)).unwrap();
        assert_eq!(watched.word().await, "second");
    }
    watched.nothing_more().await;
}

#[tokio::test]
async fn files_that_are_referred_to_are_watched_too() {
    let refers = text("${file:secret/name}");
    let mut watched = Watched::new(|folder| {
        fs::create_dir(folder.join("secret")).unwrap();
        write(folder, "secret/name", "first\n");
        write(folder, "portway.yaml", &refers);
    });
    assert_eq!(watched.word().await, "first");
    watched.rename_over("secret/name", "second");
    assert_eq!(watched.word().await, "second");
    write(watched.folder.path(), "secret/name", "third");
    assert_eq!(watched.word().await, "third");
    // No longer referred to, no longer of interest.
    watched.rename_over("portway.yaml", &text("plain"));
    assert_eq!(watched.word().await, "plain");
    write(watched.folder.path(), "secret/name", "fourth");
    watched.nothing_more().await;
}

#[tokio::test]
async fn a_slow_owner_meets_the_newest_content() {
    let mut watched = Watched::new(first);
    assert_eq!(watched.word().await, "first");
    let last = 50;
    for number in 1..=last {
        watched.rename_over("portway.yaml", &text(&format!("v{number}")));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut seen = 0;
    loop {
        let word = watched.word().await;
        seen += 1;
        if word == format!("v{last}") {
            break;
        }
    }
    assert!(seen <= 3, "{seen} contents had been kept");
    watched.nothing_more().await;
}

/// The folder of the file is moved away and another one takes its name.
#[tokio::test]
async fn a_replaced_folder_is_found() {
    let pace = Pace { patrol: Duration::from_millis(50), ..Pace::default() };
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("conf");
    fs::create_dir(&inner).unwrap();
    first(&inner);
    let source = source(&inner.join("portway.yaml"), pace);
    let mut watched = Watched { folder, source };
    assert_eq!(watched.word().await, "first");

    let (old, new) = (watched.path("old"), watched.path("new"));
    fs::create_dir(&new).unwrap();
    write(&new, "portway.yaml", &text("second"));
    fs::rename(&inner, old).unwrap();
    fs::rename(new, &inner).unwrap();
    assert_eq!(watched.word().await, "second");
    write(&inner, "portway.yaml", &text("third"));
    assert_eq!(watched.word().await, "third");
}

#[tokio::test]
async fn without_notices_the_files_are_looked_at() {
    let pace = Pace { notices: false, poll: Duration::from_millis(50), ..Pace::default() };
    let mut watched = Watched::at(pace, |folder| {
        write(folder, "name", "first");
        write(folder, "portway.yaml", &text("${file:name}"));
    });
    assert_eq!(watched.word().await, "first");
    write(watched.folder.path(), "name", "second");
    assert_eq!(watched.word().await, "second");
    watched.rename_over("portway.yaml", &text("third"));
    assert_eq!(watched.word().await, "third");
    fs::remove_file(watched.file()).unwrap();
    assert_eq!(watched.word().await, "unreadable_file");
    watched.nothing_more().await;
}

#[tokio::test]
async fn dropping_the_source_ends_the_watch() {
    let watched = Watched::new(first);
    let reread = watched.source.reread();
    assert_eq!(reread.holders(), 2 + 1, "this one, the source's and the task's");
    let Watched { folder: _keep, source } = watched;
    drop(source);
    let gone = async {
        while reread.holders() > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
}
