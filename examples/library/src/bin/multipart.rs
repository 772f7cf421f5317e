//! Uploads: streamed as they come, or looked at as a whole.
//!
//! ```sh
//! # It streams, however large it is.
//! curl -s -F 'file=hello;filename=a.txt' http://127.0.0.1:8080/uploads
//! #> "multipart/form-data; boundary=
//! #> filename=\"a.txt\"
//!
//! # What is something else is refused.
//! curl -s -i -d 'file=hello' http://127.0.0.1:8080/uploads
//! #> 415 Unsupported Media Type
//! #> "code":"expected_multipart_form_data"
//!
//! # Read as a whole, up to the limit of the route.
//! curl -s -i -F 'file=hello' http://127.0.0.1:8080/small-uploads
//! #> 200 OK
//! #> "x-parts",
//! #> "1"
//! curl -s -i -F 'a=1' -F "b=$(seq -s. 300)" http://127.0.0.1:8080/small-uploads
//! #> 413 Payload Too Large
//! ```

use portway::{Gateway, Head, MapResult, Problems, RawBody};
use portway_examples::{listen, upstream};

#[portway::map]
async fn count_parts(body: RawBody, head: &mut Head) -> MapResult<RawBody> {
    let parts = body.windows(20).filter(|bytes| bytes.starts_with(b"Content-Disposition:")).count();
    head.set_header("x-parts", parts)?;
    Ok(body)
}

#[portway::service]
mod shop {
    #[portway::post("/uploads", multipart)]
    async fn upload() {}

    #[portway::post("/small-uploads", multipart, map = super::count_parts, body_limit = "300B")]
    async fn small() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder().mount_service(shop::routes(), [upstream()]).build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
