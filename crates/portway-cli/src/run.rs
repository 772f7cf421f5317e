//! `portway run`.

use std::process::ExitCode;

use portway::{Builder, Gateway, source};
use tokio::runtime;

use crate::{
    args::Run,
    build::BUILD,
    catalog::catalog,
    locate,
    terminal::{self, PROBLEMS},
};

/// The threads of control work. One may be busy with a change while the other answers probes.
const CONTROL_THREADS: usize = 2;

pub(crate) fn run(args: &Run) -> anyhow::Result<ExitCode> {
    let files = locate::files(&args.files)?;
    keep_pages_small();
    let mut builder = Gateway::builder().build_info(BUILD).process_log();
    if let Some(cores) = args.cores {
        builder = builder.cores(cores.into());
    }
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("portway-control")
        .enable_all()
        .build()?;
    builder = files.iter().fold(builder, Builder::file);
    let served = runtime.block_on(async { builder.build()?.run_all().await });
    // Whatever a thread of control work waits for, it is not waited for.
    runtime.shutdown_background();
    match served {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(problems) => {
            let texts = source::read_all(&files, &catalog()).texts;
            terminal::problems(&locate::joined(&files), &problems, &texts);
            Ok(ExitCode::from(PROBLEMS))
        }
    }
}

/// Huge pages make an idle gateway twice as large (measured: 22 MB instead of 10), as one is held
/// for whatever lives in it. A kernel that refuses leaves things as they are.
fn keep_pages_small() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
