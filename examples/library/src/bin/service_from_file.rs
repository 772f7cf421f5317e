//! Routes in code, addresses in a file: they change without a rebuild and without a restart.
//!
//! ```sh
//! curl -s -i http://127.0.0.1:8080/items
//! #> 200 OK
//! #> "path": "/items"
//! ```

use portway::{Gateway, Problems};
use portway_examples::{listen, upstream};

#[portway::service(name = "shop")]
mod shop {
    #[portway::get("/items")]
    async fn items() {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In earnest somebody else writes it.
    let path = std::env::temp_dir().join(format!("portway-example-{}.yaml", std::process::id()));
    let file =
        format!("probes: {{enabled: false}}\nservices: [{{name: shop, url: '{}'}}]\n", upstream());
    std::fs::write(&path, file)?;
    let served = serve(&path).await;
    std::fs::remove_file(&path)?;
    Ok(served?)
}

async fn serve(path: &std::path::Path) -> Result<(), Problems> {
    let gateway = Gateway::builder().file(path).mount(shop::routes()).build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
