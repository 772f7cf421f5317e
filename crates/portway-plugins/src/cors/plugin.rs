//! The plugin.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use portway_plugin::{
    Body, Claim, Next, Plugin, Problem, Request, Response, Result,
    value::{FieldName, OriginPattern},
};
use regex::Regex;

use super::{CorsSpec, Origin};
use crate::entity::vary;

const ASKED_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Fields only the gateway is to say.
const OURS: [HeaderName; 7] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
    ALLOW_PRIVATE,
];

/// Lets pages of other origins use a service.
#[derive(Debug)]
pub struct Cors {
    /// The answer is the same for every origin.
    any: bool,
    patterns: Box<[OriginPattern]>,
    regexes: Box<[Regex]>,
    credentials: bool,
    private_network: bool,
    methods: HeaderValue,
    headers: Headers,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    preflight_vary: HeaderValue,
}

/// Which header fields requests may have.
#[derive(Debug)]
enum Headers {
    None,
    These(HeaderValue),
    /// Whatever is asked for: a star would leave `Authorization` out, and mean nothing where
    /// credentials are allowed.
    Asked,
}

impl Plugin for Cors {
    const NAME: &'static str = "cors";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = CorsSpec;

    fn create(spec: CorsSpec) -> Result<Self, Problem> {
        check(&spec)?;
        let (mut patterns, mut regexes) = (Vec::new(), Vec::new());
        for origin in spec.origins {
            match origin {
                Origin::Pattern(pattern) => patterns.push(pattern),
                Origin::Regex { regex } => regexes.push(regex.compile()),
            }
        }
        let methods = list(spec.methods.iter().map(portway_plugin::value::Method::as_str));
        let headers = match &*spec.headers {
            [] => Headers::None,
            names if names.iter().any(is_star) => Headers::Asked,
            names => Headers::These(list(names.iter().map(FieldName::as_str))),
        };
        let exposed = list(spec.exposed_headers.iter().map(FieldName::as_str));
        let preflight_vary = match spec.private_network {
            true => HeaderValue::from_static(
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, \
                 Access-Control-Request-Private-Network",
            ),
            false => HeaderValue::from_static(
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            ),
        };
        Ok(Self {
            any: patterns.iter().any(OriginPattern::is_any),
            patterns: patterns.into(),
            regexes: regexes.into(),
            credentials: spec.credentials,
            private_network: spec.private_network,
            methods,
            headers,
            exposed: Some(exposed).filter(|exposed| !exposed.is_empty()),
            max_age: spec.max_age.map(|age| HeaderValue::from(age.get().as_secs())),
            preflight_vary,
        })
    }

    fn claim(&self) -> Claim {
        Claim::OnlyOne
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let headers = request.headers();
        let allowed = self.allowed(headers);
        if *request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return Ok(self.preflight(headers, allowed));
        }
        let mut result = next.run(request).await;
        let headers = match &mut result {
            Ok(response) => response.headers_mut(),
            Err(error) => error.headers_mut(),
        };
        for name in &OURS {
            headers.remove(name);
        }
        if !self.any {
            // Also where no origin was sent: a cache must not give this answer to who sends one.
            vary(headers, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = allowed {
            self.allow(headers, origin);
            if let Some(exposed) = &self.exposed {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
        }
        result
    }
}

impl Cors {
    /// What the answer says about the origin of a request. `None` where it is not allowed.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        let mut lines = headers.get_all(header::ORIGIN).iter();
        let (value, None) = (lines.next()?, lines.next()) else { return None };
        let origin = value.to_str().ok()?;
        let fits = self.patterns.iter().any(|pattern| pattern.matches(origin))
            || origin != "null" && self.regexes.iter().any(|regex| regex.is_match(origin));
        fits.then(|| value.clone())
    }

    /// Without a word about an origin that is not allowed, which is how a browser is told.
    fn preflight(&self, asked: &HeaderMap, allowed: Option<HeaderValue>) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::VARY, self.preflight_vary.clone());
        let Some(origin) = allowed else { return response };
        self.allow(headers, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        let asked_for = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let fields = match &self.headers {
            Headers::None => None,
            Headers::These(fields) => Some(fields),
            Headers::Asked => asked_for.filter(|fields| is_list_of_names(fields)),
        };
        if let Some(fields) = fields {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fields.clone());
        }
        if let Some(age) = &self.max_age {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, age.clone());
        }
        if self.private_network && asked.get(ASKED_PRIVATE).is_some_and(|asked| asked == "true") {
            headers.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
        }
        response
    }

    fn allow(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }
}

/// What would allow everybody to act for a user, or nobody anything.
fn check(spec: &CorsSpec) -> Result<(), Problem> {
    if spec.origins.is_empty() {
        return Err(Problem::new("missing", "no origin is allowed")
            .at("origins")
            .hint("list them, such as https://app.example.com"));
    }
    if spec.methods.is_empty() {
        let problem = Problem::new("missing", "no method is allowed").at("methods");
        return Err(problem.hint("leave it out for GET, HEAD, POST, PUT, PATCH and DELETE"));
    }
    if !spec.credentials {
        return Ok(());
    }
    let refused = |message: &'static str, path: String| {
        Err(Problem::new("unsafe_cors", message)
            .at(path)
            .hint("name the origins, or leave credentials out"))
    };
    for (at, origin) in spec.origins.iter().enumerate() {
        let path = format!("origins[{at}]");
        match origin {
            Origin::Pattern(pattern) if pattern.is_any() => {
                return refused("any page could act for a user who is logged in", path);
            }
            Origin::Pattern(pattern) if pattern.is_null() => {
                return refused("any page can make its origin null and act for a user", path);
            }
            // Whoever holds these names is nobody's friend: they can belong to nobody.
            Origin::Regex { regex }
                if ["https://portway.invalid", "http://portway.invalid:81"]
                    .iter()
                    .any(|anybody| regex.is_match(anybody)) =>
            {
                return refused("the expression takes origins of anybody", format!("{path}.regex"));
            }
            Origin::Pattern(_) | Origin::Regex { .. } => {}
        }
    }
    if spec.exposed_headers.iter().any(is_star) {
        let message = "a star exposes nothing where credentials are allowed";
        return Err(Problem::new("bad_value", message)
            .at("exposed_headers")
            .hint("list the fields"));
    }
    Ok(())
}

fn is_star(name: &FieldName) -> bool {
    name.as_str() == "*"
}

fn is_list_of_names(value: &HeaderValue) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(&byte);
    value.as_bytes().iter().copied().all(name)
}

fn list<T: AsRef<str>>(words: impl Iterator<Item = T>) -> HeaderValue {
    let words: Vec<T> = words.collect();
    let text = words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).expect("methods and names of fields are visible ASCII")
}
