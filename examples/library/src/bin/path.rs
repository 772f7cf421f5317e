//! What stands in a path, with types: a single value, a tuple, a struct.
//!
//! ```sh
//! curl -s http://127.0.0.1:8080/users/7
//! #> {"user":7}
//!
//! curl -s http://127.0.0.1:8080/users/7/orders/2026-11
//! #> {"user":7,"month":"2026-11"}
//!
//! # What is no number is refused before anything else is done.
//! curl -s -i http://127.0.0.1:8080/users/anna
//! #> 400 Bad Request
//! #> "code":"invalid_path_parameters"
//! #> no u32
//!
//! # Hooks get the same values.
//! curl -s http://127.0.0.1:8080/shops/berlin/shelves/3
//! #> "x-shelf",
//! #> "berlin-3"
//! ```

use portway::{Gateway, Head, HookResult, Problems, code::Json};
use portway_examples::{listen, upstream};
use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize, Serialize)]
struct Orders {
    user: u32,
    month: String,
}

type Shelf = (String, u32);

#[portway::hook]
async fn name_shelf(head: &mut Head, (shop, shelf): &Shelf) -> HookResult {
    head.set_header("x-shelf", format!("{shop}-{shelf}"))
}

#[portway::service]
mod shop {
    use super::{Json, Orders, Shelf, name_shelf};

    #[portway::get("/users/{user}", path = u32, handler)]
    async fn user(user: u32) -> Json<serde_json::Value> {
        Json(serde_json::json!({ "user": user }))
    }

    #[portway::get("/users/{user}/orders/{month}", path = Orders, handler)]
    async fn orders(orders: Orders) -> Json<Orders> {
        Json(orders)
    }

    #[portway::get("/shops/{shop}/shelves/{shelf}", path = Shelf, before = [name_shelf])]
    async fn shelf() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder().mount_service(shop::routes(), [upstream()]).build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
