//! The smallest useful gateway: it follows one file until SIGTERM.

use portway::{Gateway, Problems};

fn main() -> Result<(), Problems> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "portway.yaml".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the operating system has a thread and a socket left");
    runtime.block_on(async { Gateway::builder().file(file).build()?.run_all().await })?;
    Ok(())
}
