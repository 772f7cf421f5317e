//! `portway schema`.

use std::process::ExitCode;

use crate::terminal::print;

pub(crate) fn schema() -> anyhow::Result<ExitCode> {
    print(&format!("{:#}\n", portway::config::schema()))?;
    Ok(ExitCode::SUCCESS)
}
