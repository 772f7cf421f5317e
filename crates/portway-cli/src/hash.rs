//! `portway hash`.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::bail;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::{args::Hash, terminal::print};

pub(crate) fn hash(args: &Hash) -> anyhow::Result<ExitCode> {
    let secret = secret(if args.key { "Key: " } else { "Password: " })?;
    if secret.is_empty() {
        bail!("there is nothing to hash: the first line is empty");
    }
    let hash = if args.key {
        portway::plugins::hash_key(&secret)
    } else {
        portway::plugins::hash_password(&secret)?
    };
    print(&format!("{hash}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The first line of standard input. Of a terminal it is asked for, and not shown.
fn secret(prompt: &str) -> anyhow::Result<String> {
    let input = io::stdin();
    let mut line = String::new();
    if input.is_terminal() {
        let shown = tcgetattr(&input)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        io::stderr().write_all(prompt.as_bytes())?;
        tcsetattr(&input, OptionalActions::Now, &hidden)?;
        let read = input.lock().read_line(&mut line);
        tcsetattr(&input, OptionalActions::Now, &shown)?;
        io::stderr().write_all(b"\n")?;
        read?;
    } else {
        input.lock().read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
