//! `portway schema` and `portway metrics`: what the documentation takes from the code.

use std::process::ExitCode;

use crate::{catalog::catalog, terminal::print};

pub(crate) fn schema() -> anyhow::Result<ExitCode> {
    print(&format!("{:#}\n", catalog().schema()))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn metrics() -> anyhow::Result<ExitCode> {
    print(&portway::telemetry::metrics::reference())?;
    Ok(ExitCode::SUCCESS)
}
