//! What maps and handlers give back.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use portway_plugin::{Body, Response};
use serde::Serialize;

use super::{Halt, Input, RawBody};

/// What a map gives back, as the functions it is generated from see it.
pub trait Mapped {
    /// In the form the route's body was read in.
    #[doc(hidden)]
    fn give(self, input: Input) -> Result<Given, Halt>;
}

/// What takes the place of a body.
#[doc(hidden)]
#[derive(Debug)]
pub enum Given {
    /// It stays as it is.
    Nothing,
    /// These bytes, of the type the client said.
    Raw(Bytes),
    /// JSON.
    Json(Bytes),
    /// A form.
    Form(String),
}

/// A value that is written as JSON, whatever was read.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A value that is written as a form, whatever was read.
#[derive(Clone, Copy, Debug)]
pub struct Form<T>(pub T);

fn json(value: &impl Serialize) -> Result<Bytes, Halt> {
    let written = serde_json::to_vec(value);
    let failed =
        |error: serde_json::Error| Halt::fault("serialize_mapped_json_failed", error.to_string());
    written.map(Bytes::from).map_err(failed)
}

fn form(value: &impl Serialize) -> Result<String, Halt> {
    serde_html_form::to_string(value)
        .map_err(|error| Halt::fault("serialize_mapped_form_failed", error.to_string()))
}

impl Mapped for () {
    fn give(self, _: Input) -> Result<Given, Halt> {
        Ok(Given::Nothing)
    }
}

impl<T: Serialize> Mapped for Json<T> {
    fn give(self, _: Input) -> Result<Given, Halt> {
        json(&self.0).map(Given::Json)
    }
}

impl<T: Serialize> Mapped for Form<T> {
    fn give(self, _: Input) -> Result<Given, Halt> {
        form(&self.0).map(Given::Form)
    }
}

impl Mapped for Given {
    fn give(self, _: Input) -> Result<Given, Halt> {
        Ok(self)
    }
}

/// Finds out what a map has given back by its type: the first of these that fits it.
#[doc(hidden)]
pub mod give {
    use super::{Bytes, Given, Halt, Input, Mapped, RawBody, Serialize, form, json};

    /// What was given back, until it is known what it is.
    #[derive(Debug)]
    pub struct Found<T>(pub Option<T>);

    /// What says itself what it is.
    pub trait BySelf {
        fn given(&mut self, input: Input) -> Result<Given, Halt>;
    }

    /// Bytes: as they are.
    pub trait ByBytes {
        fn given(&mut self, input: Input) -> Result<Given, Halt>;
    }

    /// Any value: in the form that was read, JSON where none was.
    pub trait ByValue<T> {
        fn given(&mut self, input: Input) -> Result<Given, Halt>
        where
            T: Serialize;
    }

    impl<T: Mapped> BySelf for &mut &mut Found<T> {
        fn given(&mut self, input: Input) -> Result<Given, Halt> {
            self.0.take().map_or(Ok(Given::Nothing), |mapped| mapped.give(input))
        }
    }

    impl<T: Raw> ByBytes for &mut Found<T> {
        fn given(&mut self, input: Input) -> Result<Given, Halt> {
            self.0.take().map_or(Ok(Given::Nothing), |raw| raw.in_place(input))
        }
    }

    // The bound stands at the method, so that the compiler names it where it is not met.
    impl<T> ByValue<T> for Found<T> {
        fn given(&mut self, input: Input) -> Result<Given, Halt>
        where
            T: Serialize,
        {
            match (&self.0, input) {
                (Some(value), Input::Form) => form(value).map(Given::Form),
                (Some(value), _) => json(value).map(Given::Json),
                (None, _) => Ok(Given::Nothing),
            }
        }
    }

    /// Bytes, or text where no value is expected.
    pub trait Raw {
        fn in_place(self, input: Input) -> Result<Given, Halt>;
    }

    impl Raw for RawBody {
        fn in_place(self, _: Input) -> Result<Given, Halt> {
            Ok(Given::Raw(self.into_bytes()))
        }
    }

    impl Raw for Bytes {
        fn in_place(self, _: Input) -> Result<Given, Halt> {
            Ok(Given::Raw(self))
        }
    }

    impl Raw for Vec<u8> {
        fn in_place(self, _: Input) -> Result<Given, Halt> {
            Ok(Given::Raw(self.into()))
        }
    }

    // What is borrowed is copied: a map may take a part of its input.
    impl Raw for &[u8] {
        fn in_place(self, _: Input) -> Result<Given, Halt> {
            Ok(Given::Raw(Bytes::copy_from_slice(self)))
        }
    }

    /// Text is a value where JSON was read.
    impl Raw for String {
        fn in_place(self, input: Input) -> Result<Given, Halt> {
            match input {
                Input::Json => json(&self).map(Given::Json),
                _ => Ok(Given::Raw(self.into())),
            }
        }
    }

    impl Raw for &str {
        fn in_place(self, input: Input) -> Result<Given, Halt> {
            self.to_owned().in_place(input)
        }
    }
}

/// What a handler may give back: an answer, a status, text, bytes, [`Json`], a status with one of
/// them, nothing (204), or a `Result` of these.
///
/// ```
/// use portway::code::{Json, Reply};
///
/// let answer = (http::StatusCode::CREATED, Json(["a", "b"])).reply().unwrap();
/// assert_eq!(answer.status(), 201);
/// assert_eq!(answer.headers()["content-type"], "application/json");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer",
    label = "a handler gives back a `Response`, a `StatusCode`, text, bytes, `Json<T>`, or a `Result` of these"
)]
pub trait Reply {
    /// As an answer.
    ///
    /// # Errors
    /// It is none.
    fn reply(self) -> Result<Response, Halt>;
}

impl Reply for Response {
    fn reply(self) -> Result<Response, Halt> {
        Ok(self)
    }
}

impl Reply for () {
    fn reply(self) -> Result<Response, Halt> {
        StatusCode::NO_CONTENT.reply()
    }
}

impl Reply for StatusCode {
    fn reply(self) -> Result<Response, Halt> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self;
        Ok(response)
    }
}

impl<T: Serialize> Reply for Json<T> {
    fn reply(self) -> Result<Response, Halt> {
        Ok(typed(json(&self.0)?, "application/json"))
    }
}

impl Reply for String {
    fn reply(self) -> Result<Response, Halt> {
        Ok(typed(self, "text/plain; charset=utf-8"))
    }
}

impl Reply for &'static str {
    fn reply(self) -> Result<Response, Halt> {
        Ok(typed(Bytes::from_static(self.as_bytes()), "text/plain; charset=utf-8"))
    }
}

impl Reply for Bytes {
    fn reply(self) -> Result<Response, Halt> {
        Ok(typed(self, "application/octet-stream"))
    }
}

impl<R: Reply> Reply for (StatusCode, R) {
    fn reply(self) -> Result<Response, Halt> {
        let mut response = self.1.reply()?;
        *response.status_mut() = self.0;
        Ok(response)
    }
}

impl<R: Reply, E: Into<Halt>> Reply for Result<R, E> {
    fn reply(self) -> Result<Response, Halt> {
        self.map_err(Into::into)?.reply()
    }
}

fn typed(body: impl Into<Body>, kind: &'static str) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
