#[portway::service]
fn shop() {}

#[portway::service(prefix = "shop")]
mod prefix {}

#[portway::service(prefix = "/{tenant}")]
mod placeholder {}
