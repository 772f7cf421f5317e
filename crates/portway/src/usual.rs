//! What a program gets without a word, and what it does not.

use portway_config::{
    Config, List, Listener, Problem,
    value::{ListenAddr, Name},
};

use crate::problems::read;

/// What a program has asked for by name, so that it is meant where it looks like the default, too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) probes: bool,
    pub(crate) access_log: bool,
}

/// A program that has no file says what it wants to open and to write.
pub(crate) fn quiet(config: &mut Config, asked: Asked) {
    let default = Config::default();
    if config.probes == default.probes && !asked.probes {
        config.probes.enabled = false;
    }
    if config.access_log == default.access_log && !asked.access_log {
        config.access_log.enabled = false;
    }
}

/// A listener for plain HTTP, called `web`, or `web-2` and so on where there are others.
pub(crate) fn listener(bind: &str, others: &List<Listener>) -> Result<Listener, Problem> {
    let is_taken = |name: &Name| others.iter().any(|other| other.meta.name == *name);
    let names = (1..).map(|nth| if nth == 1 { "web".to_owned() } else { format!("web-{nth}") });
    let mut names = names.map(|name| name.parse().expect("a name"));
    let name = names.find(|name| !is_taken(name)).expect("there are more names than listeners");
    read::<ListenAddr>(bind, "listen").map(|bind| Listener::new(name, bind))
}
