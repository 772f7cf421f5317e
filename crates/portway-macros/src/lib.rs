//! Attributes of the library `portway`: sugar over const tables and plain functions that one could
//! type by hand. They are documented where they are used from: `portway::service` and the others.

mod arguments;
mod attributes;
mod facade;
mod function;
mod inject;
mod measure;
mod path;
mod route;
mod service;

use proc_macro::TokenStream;
use quote::quote;

use function::Kind;

/// Makes a module a service: each function with a route attribute is a route, and `routes()` gives
/// all of them to the builder.
///
/// | argument | what it says | without it |
/// |---|---|---|
/// | `name = "sales"` | the service | the module's name |
/// | `prefix = "/sales"` | a path before the paths of all routes, taken off before forwarding | none |
/// | `policy = "sticky"` | the policy of its routes, by its name in the builder | the builder's default |
/// | `hosts = ["a.example"]` | the hosts its routes answer for | all |
/// | `plugins = ["limit"]` | shared plugins around its routes | none |
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(service::expand(arguments.into(), &item.into()))
}

/// Makes an async function a hook: code before a request is forwarded. What it asks for is given to
/// it by type:
///
/// | argument | what it is |
/// |---|---|
/// | `head: &mut Head`, `&Head` | method, URI and header fields |
/// | `scope: &mut Scope`, `&Scope` | what code leaves for the code after it |
/// | `&T` | the request's own `T`, else the one the builder was given |
/// | `&mut T` | the request's own `T` |
/// | `T` | made of the request where `T: FromCall`; else the request's own, or a copy of the builder's |
/// | `RawBody` | the whole body, which stays for the upstream |
///
/// It gives back nothing, [`HookResult`](../portway/code/type.HookResult.html), or
/// `Result<Option<Response>, Halt>`: `Some` answers the request.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(function::expand(Kind::Hook, &arguments.into(), item.into()))
}

/// Makes an async function a map: it takes what was read of a body, and gives back what is put in
/// its place. The first argument of its own (`T`, `RawBody`), else the first reference, is the
/// input; the others are given as to a [`hook`](macro@hook). `()` leaves the body as it is.
#[proc_macro_attribute]
pub fn map(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(function::expand(Kind::Map, &arguments.into(), item.into()))
}

/// Makes an async function a response hook: it takes `&mut Response` for answers of the upstream,
/// or `&mut Result<Response, Error>` for its failures too; the others are given as to a
/// [`hook`](macro@hook).
#[proc_macro_attribute]
pub fn after(arguments: TokenStream, item: TokenStream) -> TokenStream {
    done(function::expand(Kind::After, &arguments.into(), item.into()))
}

/// Routes are declared inside a service.
macro_rules! outside {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[proc_macro_attribute]
        pub fn $name(_: TokenStream, item: TokenStream) -> TokenStream {
            let item = proc_macro2::TokenStream::from(item);
            let message = concat!(
                "`", stringify!($name), "` declares a route of a service: put the function into a ",
                "module with `#[portway::service]`",
            );
            quote!(::core::compile_error!(#message); #item).into()
        }
    )*};
}

outside! {
    /// A route for `GET`, and for `HEAD` with it. See [`route`](macro@route).
    get
    /// A route for `POST`. See [`route`](macro@route).
    post
    /// A route for `PUT`. See [`route`](macro@route).
    put
    /// A route for `DELETE`. See [`route`](macro@route).
    delete
    /// A route for `PATCH`. See [`route`](macro@route).
    patch
    /// A route for `HEAD` alone. See [`route`](macro@route).
    head
    /// A route for `OPTIONS`. See [`route`](macro@route).
    options
    /// A route for all methods. See [`route`](macro@route).
    any
    /// A route for the methods it lists: `#[portway::route("/path", methods = ["GET", "PURGE"])]`.
    /// The first argument of all route attributes is the path below the service's prefix; the
    /// others are:
    ///
    /// | argument | what it says |
    /// |---|---|
    /// | `to = "/v2/{id}"` | the path that is forwarded, with placeholders of the route; without it, the service's prefix is taken off |
    /// | `path = T` | the placeholders are read as `T` before all else |
    /// | `query = T` | the query is read as `T` before all hooks |
    /// | `json = T`, `form = T` | the body is read as `T` after all hooks |
    /// | `multipart` | the body must be `multipart/form-data` |
    /// | `before = [a, b]` | hooks, in their order |
    /// | `map = f` | the map that makes the body anew |
    /// | `after = [a, b]` | response hooks, in their order |
    /// | `handler` | the function's own body answers |
    /// | `policy = "…"`, `timeout = "5s"`, `body_limit = "1MiB"` | as for the service, or else |
    /// | `hosts = ["…"]`, `plugins = ["…"]` | in the place of the service's; beside the service's |
    route
}

fn done(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
