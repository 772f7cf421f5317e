//! Routes whose code is part of the program: what the attributes of `portway-macros` expand to.
//!
//! A route is a line of a const table ([`Service`], [`Route`]) with a pointer to one plain
//! function. Everything the attributes write could be typed by hand:
//!
//! ```
//! use portway::code::{BoxFuture, Call, Halt, Route, Service};
//! use portway::plugin::Response;
//!
//! static SHOP: Service = Service {
//!     prefix: "/shop",
//!     routes: &[Route { code: Some(item), ..Route::new("item", &["GET"], "/items/{id}") }],
//!     ..Service::new("shop")
//! };
//!
//! fn item<'a>(call: &'a mut Call<'_>) -> BoxFuture<'a, Result<Response, Halt>> {
//!     Box::pin(async move {
//!         let id: u32 = call.read_path()?;
//!         call.head_mut().set_header("x-item", id)?;
//!         call.forward().await
//!     })
//! }
//! # let _ = &SHOP;
//! ```
//!
//! | what | where |
//! |---|---|
//! | the tables, and how they become resources | [`Service`], [`Route`] |
//! | one request while code looks at it | [`Call`], with its [`Head`] and its [`Scope`] |
//! | how code ends a request by itself | [`Halt`] |
//! | values a function asks for by their types | [`FromCall`], [`State`], [`Scope`] |
//! | what maps and handlers give back | [`Mapped`], [`Reply`] |

mod body;
mod call;
mod extract;
mod halt;
mod head;
mod input;
mod lower;
mod output;
mod plugin;
mod scope;
mod table;
mod text;

pub use portway_plugin::BoxFuture;

pub use body::RawBody;
pub use call::Call;
pub(crate) use call::Settings;
#[doc(hidden)]
pub use extract::inject;
pub use extract::{Client, Cookies, FromCall, RequestId, TypedHeader};
pub use halt::{Halt, HookOutput, HookResult, MapResult};
pub use head::Head;
pub(crate) use lower::{Declared, lower};
#[doc(hidden)]
pub use output::give;
pub use output::{Form, Json, Mapped, Reply};
pub(crate) use plugin::{Code, Codes};
pub use scope::{Loan, Scope, State};
pub use table::{CodeFn, Input, Route, Service};
