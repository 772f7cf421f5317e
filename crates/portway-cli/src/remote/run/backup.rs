//! `portway backup` and `restore`.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, bail};
use bytes::Bytes;

use super::{client, warn};
use crate::{
    remote::{
        args::{Backup, Form, Restore, RotateKey},
        client::{Request, Stream},
        files::is_stdin,
        progress::Progress,
        show,
    },
    terminal::{self, UsageError, print},
};

pub(super) async fn backup(args: &Backup) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let mut stream = client.open(Request::get("/backup")).await?;
    let progress = Progress::endless("saving");
    // "-" is standard output here, as it is standard input elsewhere.
    if is_stdin(&args.file) {
        copied(&mut stream, &mut io::stdout().lock(), &progress).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let shown = args.file.display();
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A backup that breaks off leaves the one before it in its place; it is the user's alone.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .with_context(|| format!("cannot write {shown}"))?;
    let bytes = copied(&mut stream, &mut file, &progress).await?;
    file.as_file().sync_all()?;
    file.persist(&args.file).with_context(|| format!("cannot write {shown}"))?;
    progress.clear();
    print(&format!("{shown}: {}\n", show::moment::bytes(&bytes.into())))?;
    Ok(ExitCode::SUCCESS)
}

async fn copied(
    stream: &mut Stream,
    to: &mut impl Write,
    progress: &Progress,
) -> anyhow::Result<usize> {
    let mut bytes = 0;
    while let Some(piece) = stream.next_in_time().await? {
        to.write_all(&piece).context("cannot write the backup")?;
        bytes += piece.len();
        progress.bytes(piece.len());
    }
    to.flush().context("cannot write the backup")?;
    Ok(bytes)
}

pub(super) async fn restore(args: &Restore) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let body = if is_stdin(&args.file) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        bytes
    } else {
        fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?
    };
    let admin = client.settings.admin.url();
    if !args.dry_run && !args.yes {
        let question = format!("Replace everything in the store of {admin}?");
        match terminal::confirmed(&question) {
            Some(true) => {}
            Some(false) => bail!("nothing was restored"),
            None => {
                let message = format!("everything in the store of {admin} is replaced: say --yes");
                bail!(UsageError(message));
            }
        }
    }
    let request = Request::post("/restore").flag("dry_run", args.dry_run).flag("force", args.force);
    let progress = Progress::endless("restoring");
    let said = client.ask(request.body("application/octet-stream", Bytes::from(body))).await?;
    progress.clear();
    warn(&said.meta);
    if args.output.form == Form::Table {
        let done = if args.dry_run { "could be restored" } else { "restored" };
        print(&format!("{} {done}{}\n", args.file.display(), super::at_revision(&said)))?;
        if !said.data.is_null() {
            print(&show::yaml::document(&said.data))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    show::value(args.output.form, &said.data, |_| String::new())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn rotate_key(args: &RotateKey) -> anyhow::Result<ExitCode> {
    let client = client(&args.connection)?;
    let said = client.ask(Request::post("/secrets/rotate-key")).await?;
    show::value(args.output.form, &said.data, |data| {
        let (key, count) = (show::text(data, "/key_id"), show::text(data, "/resealed"));
        format!("key {key} seals from now on; {count} secrets were sealed anew\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
