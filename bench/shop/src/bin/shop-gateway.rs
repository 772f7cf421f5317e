//! `shop-gateway LISTEN AUTH DATA`: Portway's program, on one core.

use std::process::ExitCode;

// As the program on the crate `apigate` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, auth, data] = arguments.as_slice() else {
        eprintln!("usage: shop-gateway LISTEN AUTH DATA (an address, then two URLs)");
        return ExitCode::from(2);
    };
    let gateway = match portway_bench_shop::gateway::gateway(auth, data) {
        Ok(gateway) => gateway,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::FAILURE;
        }
    };
    match Box::pin(gateway.run(listen)).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}
