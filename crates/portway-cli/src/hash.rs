//! `portway hash`.

use std::{io, process::ExitCode};

use anyhow::bail;

use crate::{
    args::Hash,
    terminal::{hidden_line, print},
};

pub(crate) fn hash(args: &Hash) -> anyhow::Result<ExitCode> {
    let secret = hidden_line(io::stdin(), if args.key { "Key: " } else { "Password: " })?;
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
