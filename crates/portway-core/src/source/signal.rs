//! What the system tells about the watched files, boiled down to whether they are being written.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use notify::{
    EventKind,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tokio::sync::Notify;

use super::folder::{is_document, is_hidden};

/// What happened to a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    /// Something that may not be over: a write into the file, its removal.
    Began,
    /// A writer closed the file, or another file took its name.
    Completed,
    /// Something beside the content: the file may have become readable.
    Touched,
}

/// Where the system's notices arrive and the watching task waits. Any number of notices is kept
/// in the space of the entries that are followed.
#[derive(Debug, Default)]
pub(super) struct Signals {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The entries that matter, and whether something began there that has not been completed.
    entries: HashMap<PathBuf, bool>,
    /// Directories in which every entry matters that could be configuration.
    folders: HashSet<PathBuf>,
    news: bool,
}

impl Signals {
    /// From now on these entries matter, and what comes into these directories, and nothing else.
    pub(super) fn follow(&self, entries: HashSet<PathBuf>, folders: HashSet<PathBuf>) {
        let mut state = self.state();
        state.folders = folders;
        let mut kept = HashMap::with_capacity(entries.len());
        // What began in a directory goes on, though nobody has read it yet.
        let begun =
            state.entries.iter().filter(|(entry, unsettled)| **unsettled && state.in_folder(entry));
        kept.extend(begun.map(|(entry, _)| (entry.clone(), true)));
        for entry in entries {
            let unsettled = state.entries.get(&entry).copied().unwrap_or_default();
            kept.insert(entry, unsettled);
        }
        state.entries = kept;
    }

    /// Takes a notice of the system.
    pub(super) fn notice(&self, notice: &notify::Result<notify::Event>) {
        let mut state = self.state();
        match notice {
            Ok(event) if !event.need_rescan() => {
                for path in &event.paths {
                    if !state.entries.contains_key(path) && !state.may_come(path) {
                        continue;
                    }
                    let told = signal(event, path);
                    let unsettled = state.entries.entry(path.clone()).or_default();
                    match told {
                        Some(Signal::Began) => *unsettled = true,
                        Some(Signal::Completed) => *unsettled = false,
                        Some(Signal::Touched) => {}
                        None => continue,
                    }
                    state.news = true;
                }
            }
            // Notices were lost: nobody knows what is being written.
            Ok(_) | Err(_) => {
                state.entries.values_mut().for_each(|unsettled| *unsettled = true);
                state.news = true;
            }
        }
        if state.news {
            self.wake.notify_one();
        }
    }

    /// Waits for notices that matter.
    pub(super) async fn news(&self) {
        while !std::mem::take(&mut self.state().news) {
            self.wake.notified().await;
        }
    }

    /// Whether something may be in the middle of being written.
    pub(super) fn unsettled(&self) -> bool {
        self.state().entries.values().any(|unsettled| *unsettled)
    }

    /// What is there now is going to be read.
    pub(super) fn settle(&self) {
        self.state().entries.values_mut().for_each(|unsettled| *unsettled = false);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is made whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn in_folder(&self, entry: &Path) -> bool {
        entry.parent().is_some_and(|folder| self.folders.contains(folder))
    }

    /// Whether an entry that nobody has read is configuration, or a directory that may have some.
    fn may_come(&self, entry: &Path) -> bool {
        self.in_folder(entry) && !is_hidden(entry) && (is_document(entry) || entry.is_dir())
    }
}

/// What an event says about one of its paths.
fn signal(event: &notify::Event, path: &Path) -> Option<Signal> {
    Some(match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Signal::Completed,
        // A reader came or went. We are one ourselves.
        EventKind::Access(_) => return None,
        EventKind::Modify(ModifyKind::Metadata(_)) => Signal::Touched,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Signal::Completed,
        // The paths are the old name and the new one, and each has had an event of its own.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return None,
        // A symbolic link is made whole, and what comes into a directory is told of by itself; a
        // file is made empty and then written.
        EventKind::Create(_) if path.is_symlink() || path.is_dir() => Signal::Completed,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => Signal::Began,
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use notify::{
        Event, EventKind,
        event::{
            AccessKind, AccessMode, CreateKind, DataChange, Flag, MetadataKind, ModifyKind,
            RemoveKind, RenameMode,
        },
    };

    use super::{Signal, Signals, signal};

    const BEGAN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const CHMOD: EventKind = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));

    #[test]
    fn only_what_is_complete_is_settled() {
        let renamed = |mode| EventKind::Modify(ModifyKind::Name(mode));
        for (kind, expected) in [
            (EventKind::Create(CreateKind::File), Some(Signal::Began)),
            (BEGAN, Some(Signal::Began)),
            (CLOSED, Some(Signal::Completed)),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
            (CHMOD, Some(Signal::Touched)),
            (renamed(RenameMode::To), Some(Signal::Completed)),
            (renamed(RenameMode::From), Some(Signal::Began)),
            (renamed(RenameMode::Both), None),
            (EventKind::Remove(RemoveKind::File), Some(Signal::Began)),
        ] {
            assert_eq!(signal(&Event::new(kind), Path::new("f")), expected, "{kind:?}");
        }
    }

    fn tell(signals: &Signals, kind: EventKind, path: &str) {
        signals.notice(&Ok(Event::new(kind).add_path(path.into())));
    }

    #[test]
    fn one_file_that_is_complete_does_not_settle_another() {
        let signals = Signals::default();
        signals.follow(["a".into(), "b".into()].into(), HashSet::new());
        tell(&signals, BEGAN, "a");
        tell(&signals, BEGAN, "b");
        tell(&signals, CLOSED, "b");
        tell(&signals, CHMOD, "a");
        assert!(signals.unsettled());
        tell(&signals, CLOSED, "a");
        assert!(!signals.unsettled());
    }

    #[test]
    fn an_entry_that_no_longer_matters_holds_nothing_up() {
        let signals = Signals::default();
        signals.follow(["old".into(), "kept".into()].into(), HashSet::new());
        tell(&signals, EventKind::Remove(RemoveKind::File), "old");
        signals.follow(["new".into(), "kept".into()].into(), HashSet::new());
        assert!(!signals.unsettled());
        tell(&signals, BEGAN, "kept");
        signals.follow(["kept".into()].into(), HashSet::new());
        assert!(signals.unsettled());
    }

    /// Such as a log that is written in the same folder.
    #[test]
    fn an_entry_that_never_mattered_wakes_nobody() {
        let signals = Signals::default();
        signals.follow(["folder/portway.yaml".into()].into(), HashSet::new());
        for kind in [EventKind::Create(CreateKind::File), BEGAN, CLOSED, CHMOD] {
            tell(&signals, kind, "folder/access.log");
            tell(&signals, kind, "folder");
        }
        assert!(!signals.state().news);
        tell(&signals, BEGAN, "folder/portway.yaml");
        assert!(signals.state().news);
    }

    #[test]
    fn what_comes_into_a_directory_matters_when_it_may_be_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let signals = Signals::default();
        signals.follow(HashSet::new(), [folder.path().to_owned()].into());
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for name in ["access.log", ".a.yaml", "a.yaml~"] {
            tell(&signals, BEGAN, &path(name));
        }
        assert!(!signals.state().news);
        tell(&signals, BEGAN, &path("a.yaml"));
        assert!(signals.state().news);
        // Until it is complete, or read.
        signals.follow(HashSet::new(), [folder.path().to_owned()].into());
        assert!(signals.unsettled());
        tell(&signals, CLOSED, &path("a.yaml"));
        assert!(!signals.unsettled());

        std::fs::create_dir(folder.path().join("more")).unwrap();
        signals.state().news = false;
        tell(&signals, EventKind::Create(CreateKind::Folder), &path("more"));
        assert!(signals.state().news && !signals.unsettled());
    }

    #[tokio::test]
    async fn lost_notices_are_news_about_everything() {
        let signals = Signals::default();
        signals.follow(["a".into()].into(), HashSet::new());
        tell(&signals, BEGAN, "of no concern");
        assert!(!signals.unsettled());
        signals.notice(&Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        signals.news().await;
        assert!(signals.unsettled());
    }
}
