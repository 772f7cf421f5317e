//! `portway schema` and `portway metrics`: what the documentation takes from the code.

use std::process::ExitCode;

use crate::{args::Schema, build::BUILD, catalog::catalog, terminal::print};

pub(crate) fn schema(args: &Schema) -> anyhow::Result<ExitCode> {
    let catalog = catalog();
    match args.openapi {
        true => print(&format!("{:#}\n", portway::openapi(&catalog, BUILD.version)))?,
        false => print(&format!("{:#}\n", catalog.schema()))?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn metrics() -> anyhow::Result<ExitCode> {
    print(&portway::telemetry::metrics::reference())?;
    Ok(ExitCode::SUCCESS)
}
