//! `portway version`.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    args::{Report, Version},
    build::BUILD,
    terminal::print,
};

pub(crate) fn version(args: &Version) -> anyhow::Result<ExitCode> {
    let portway::BuildInfo { version, commit, build_time, rust } = BUILD;
    print(&match args.output {
        Report::Human => {
            format!("portway {version}\ncommit {commit}\nbuilt  {build_time}\nrust   {rust}\n")
        }
        Report::Json => {
            let said = json!({
                "version": version,
                "commit": commit,
                "build_time": build_time,
                "rust": rust,
            });
            format!("{said:#}\n")
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
