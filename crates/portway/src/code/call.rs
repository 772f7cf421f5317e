//! One request while the code of its route looks at it.

use std::fmt;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Uri, request::Parts};
use portway_plugin::{Body, Error, Exchange, Host, Next, Overflow, Request, Response};
use serde::de::DeserializeOwned;

use super::{Halt, Head, Input, Loan, Mapped, RawBody, Route, Scope, State, input, output::Given};

/// One request while the code of its route looks at it, up to [`forward`](Self::forward) and
/// beyond. A client that leaves, and a timeout, drop it with the future that holds it.
///
/// ```
/// use portway::code::{BoxFuture, Call, Halt};
/// use portway::plugin::Response;
///
/// fn counted<'a>(call: &'a mut Call<'_>) -> BoxFuture<'a, Result<Response, Halt>> {
///     Box::pin(async move {
///         // The body stays: whoever reads it next gets the same, and so does the upstream.
///         let length = call.read_body().await?.len();
///         call.head_mut().set_header("x-length", length)?;
///         let mut answer = call.forward().await?;
///         answer.headers_mut().remove("server");
///         Ok(answer)
///     })
/// }
/// ```
pub struct Call<'a> {
    head: Head<'a>,
    scope: Scope<'a>,
    body: Body,
    next: Next<'a>,
    settings: &'a Settings,
    /// What the body was read as.
    input: Input,
    /// Whether the request has gone on its way.
    is_sent: bool,
    route: &'static Route,
}

/// What holds for all code of a program.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What the program shares.
    pub(crate) state: State,
    /// The longest body that is read into memory where the route does not say.
    pub(crate) body_limit: usize,
    /// Whether values of wrong types are answered 422, and not 400 as what is malformed.
    pub(crate) unprocessable: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        request: Request,
        next: Next<'a>,
        route: &'static Route,
        settings: &'a Settings,
    ) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            head: Head::new(parts, next.exchange(), route),
            scope: Scope::of(&settings.state),
            body,
            next,
            settings,
            input: Input::Raw,
            is_sent: false,
            route,
        }
    }

    /// The head of the request. After it was forwarded, its method and URI alone.
    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// The head of the request, to change.
    pub fn head_mut(&mut self) -> &mut Head<'a> {
        &mut self.head
    }

    /// What code leaves for the code after it.
    pub fn scope(&mut self) -> &mut Scope<'a> {
        &mut self.scope
    }

    /// Head and scope, both to change.
    pub fn parts(&mut self) -> (&mut Head<'a>, &mut Scope<'a>) {
        (&mut self.head, &mut self.scope)
    }

    /// What is known of the request.
    #[must_use]
    pub fn exchange(&self) -> &'a Exchange<'a> {
        self.next.exchange()
    }

    /// What the gateway does for code: asking others, telling the time, counting, logging.
    #[must_use]
    pub fn host(&self) -> &'a Host {
        self.next.host()
    }

    /// A value for a function that wants to read it; [`give_back`](Self::give_back) follows.
    ///
    /// # Errors
    /// 500 `missing_from_scope`.
    pub fn lend<T: Send + Sync + 'static>(&mut self) -> Result<Loan<'a, T>, Halt> {
        self.scope.lend()
    }

    /// The same for one that wants to change it: the request's own, never the program's.
    ///
    /// # Errors
    /// 500 `missing_from_scope`.
    pub fn lend_mut<T: Send + Sync + 'static>(&mut self) -> Result<Loan<'a, T>, Halt> {
        self.scope.lend_mut()
    }

    /// Takes back what was lent.
    pub fn give_back<T: Send + Sync + 'static>(&mut self, loan: Loan<'a, T>) {
        self.scope.give_back(loan);
    }

    /// Reads what the placeholders of the path stand for.
    ///
    /// # Errors
    /// 400 `invalid_path_parameters`.
    pub fn read_path<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        self.head.extract_path()
    }

    /// Reads the query.
    ///
    /// # Errors
    /// 400 `invalid_query`.
    pub fn read_query<T: DeserializeOwned>(&self) -> Result<T, Halt> {
        self.head.extract_query()
    }

    /// The whole body. It stays for whoever reads it next, and for the upstream.
    ///
    /// # Errors
    /// 413 `request_body_too_large`; 499 when the client leaves before its end.
    pub async fn read_body(&mut self) -> Result<Bytes, Halt> {
        let limit = self.body_limit();
        self.body.buffer(limit).await.map_err(|overflow| match overflow {
            Overflow::TooLong => input::too_large(limit).into(),
            Overflow::Failed(error) => error.into(),
        })
    }

    /// The same as a value.
    ///
    /// # Errors
    /// Those of [`read_body`](Self::read_body).
    pub async fn raw_body(&mut self) -> Result<RawBody, Halt> {
        self.read_body().await.map(RawBody::from)
    }

    /// Reads the body as JSON. Its content type is not looked at.
    ///
    /// # Errors
    /// 400 `invalid_json_body`, or 422 where the builder says so and the JSON is well-formed.
    pub async fn read_json<T: DeserializeOwned>(&mut self) -> Result<T, Halt> {
        self.input = Input::Json;
        let body = self.read_body().await?;
        input::json(&body, self.settings.unprocessable)
    }

    /// Reads a form: the body, or the query of a `GET` or `HEAD`. A name that comes several times
    /// fills a list.
    ///
    /// # Errors
    /// 415 `expected_form_urlencoded`; 400 `invalid_form_body` or `invalid_form_query`.
    pub async fn read_form<T: DeserializeOwned>(&mut self) -> Result<T, Halt> {
        self.input = Input::Form;
        if self.is_form_in_query() {
            return input::form_query(self.head.uri().query().unwrap_or_default());
        }
        input::expect_form(self.head.headers())?;
        let body = self.read_body().await?;
        input::form_body(&body)
    }

    /// Sees to it that the body is `multipart/form-data`, and leaves it where it is.
    ///
    /// # Errors
    /// 415 `expected_multipart_form_data`.
    pub fn expect_multipart(&mut self) -> Result<(), Halt> {
        self.input = Input::Multipart;
        input::expect_multipart(self.head.headers())
    }

    /// What the body was read as.
    #[must_use]
    pub fn read_as(&self) -> Input {
        self.input
    }

    /// Puts what a map has made in the place of the body, in the form the body was read in.
    ///
    /// # Errors
    /// 500: the value cannot be written in this form.
    pub fn put(&mut self, mapped: impl Mapped) -> Result<(), Halt> {
        let in_query = self.is_form_in_query();
        match mapped.give(self.input)? {
            Given::Nothing => Ok(()),
            Given::Raw(bytes) => {
                self.replace(bytes, None);
                Ok(())
            }
            Given::Json(bytes) => {
                self.replace(bytes, Some("application/json"));
                Ok(())
            }
            Given::Form(text) if in_query => self.head.set_encoded_query(&text),
            Given::Form(text) => {
                self.replace(text.into(), Some("application/x-www-form-urlencoded"));
                Ok(())
            }
        }
    }

    fn replace(&mut self, bytes: Bytes, content_type: Option<&'static str>) {
        let headers = self.head.headers_mut();
        headers.remove(http::header::CONTENT_LENGTH);
        if let Some(kind) = content_type {
            let kind = http::HeaderValue::from_static(kind);
            headers.insert(http::header::CONTENT_TYPE, kind);
        }
        self.body = bytes.into();
    }

    /// Sends the request on, and brings the head of the answer. That can be done once.
    ///
    /// # Errors
    /// What goes wrong on the way, and 500 `already_sent` for the second time. The code after it may look at it, and pass it on.
    pub async fn forward(&mut self) -> Result<Response, Halt> {
        Ok(self.send().await?)
    }

    /// The same, for code that looks at failures.
    ///
    /// # Errors
    /// What goes wrong on the way.
    pub async fn send(&mut self) -> Result<Response, Error> {
        if std::mem::replace(&mut self.is_sent, true) {
            return Err(Error::gateway("already_sent", "the request has been sent on already"));
        }
        let (method, uri) = (self.head.method().clone(), self.head.uri().clone());
        let left = left(method, uri);
        let parts = std::mem::replace(&mut self.head.parts, left);
        self.next.run(Request::from_parts(parts, std::mem::take(&mut self.body))).await
    }

    fn is_form_in_query(&self) -> bool {
        self.input == Input::Form && matches!(*self.head.method(), Method::GET | Method::HEAD)
    }

    fn body_limit(&self) -> usize {
        input::limit(self.route).unwrap_or(self.settings.body_limit)
    }
}

/// What is left of a head when the request has gone.
fn left(method: Method, uri: Uri) -> Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    (parts.method, parts.uri) = (method, uri);
    (parts.headers, parts.extensions) = (HeaderMap::new(), Extensions::new());
    parts
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("head", &self.head).finish_non_exhaustive()
    }
}
