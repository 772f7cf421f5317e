//! Which calls are gRPC's, by their `Content-Type`.

use http::{HeaderMap, HeaderValue, header};

/// How gRPC is written on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `application/grpc`: gRPC itself, with trailers.
    Grpc,
    /// `application/grpc-web`: the trailers are the last frame of the body.
    Web,
    /// `application/grpc-web-text`: the same in base64.
    WebText,
}

/// Each kind and its media type. One is the beginning of another, so the longest come first.
const TYPES: [(Kind, &str); 3] = [
    (Kind::WebText, "application/grpc-web-text"),
    (Kind::Web, "application/grpc-web"),
    (Kind::Grpc, "application/grpc"),
];

impl Kind {
    /// The kind of a body with these header fields. `None`: it is not gRPC's.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::split(headers.get(header::CONTENT_TYPE)?).map(|(kind, _)| kind)
    }

    /// The kind in which a request with these header fields is to be answered. A client of
    /// gRPC-Web may ask for another form than its own by `Accept`.
    pub(crate) fn answering(headers: &HeaderMap) -> Option<Self> {
        let asked = || Self::split(headers.get(header::ACCEPT)?).map(|(kind, _)| kind);
        match Self::of(headers)? {
            Self::Grpc => Some(Self::Grpc),
            web => asked().filter(|&asked| asked != Self::Grpc).or(Some(web)),
        }
    }

    /// Whether it is one of the forms browsers use.
    pub(crate) fn is_web(self) -> bool {
        self != Self::Grpc
    }

    /// The media type, without the name of a message format: messages may be in any.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::Web => "application/grpc-web",
            Self::WebText => "application/grpc-web-text",
        }
    }

    /// The same media type in another kind: what follows the kind's own name, such as `+proto`, is
    /// kept. What is not gRPC's becomes the bare type.
    pub(super) fn instead_of(self, media_type: Option<&HeaderValue>) -> HeaderValue {
        let suffix = media_type.and_then(Self::split).map_or(&[][..], |(_, suffix)| suffix);
        let bare = HeaderValue::from_static(self.media_type());
        if suffix.is_empty() {
            return bare;
        }
        let whole = [self.media_type().as_bytes(), suffix].concat();
        HeaderValue::from_maybe_shared(bytes::Bytes::from(whole)).unwrap_or(bare)
    }

    /// The kind of a media type, and what follows its name: a message format or parameters.
    fn split(value: &HeaderValue) -> Option<(Self, &[u8])> {
        let value = value.as_bytes();
        TYPES.iter().find_map(|(kind, name)| {
            let (begins, suffix) = value.split_at_checked(name.len())?;
            let ends = matches!(suffix.first(), None | Some(b'+' | b';' | b' ' | b'\t'));
            (ends && begins.eq_ignore_ascii_case(name.as_bytes())).then_some((*kind, suffix))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(content_type: &'static str, accept: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        }
        headers
    }

    #[test]
    fn media_types() {
        for (text, kind) in [
            ("application/grpc", Some(Kind::Grpc)),
            ("application/grpc+proto", Some(Kind::Grpc)),
            ("application/grpc+json", Some(Kind::Grpc)),
            ("Application/GRPC;charset=utf-8", Some(Kind::Grpc)),
            ("application/grpc ; a=b", Some(Kind::Grpc)),
            ("application/grpc-web", Some(Kind::Web)),
            ("application/grpc-web+proto", Some(Kind::Web)),
            ("application/grpc-web-text", Some(Kind::WebText)),
            ("application/grpc-web-text+proto", Some(Kind::WebText)),
            ("application/grpc-web-texts", None),
            ("application/grpc-webs", None),
            ("application/grpcs", None),
            ("application/grp", None),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(&headers(text, None)), kind, "{text:?}");
        }
        assert_eq!(Kind::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_browser_is_answered_as_it_accepts_or_as_it_asked() {
        let (web, text) = ("application/grpc-web+proto", "application/grpc-web-text");
        for (content_type, accept, kind) in [
            (web, None, Some(Kind::Web)),
            (web, Some("*/*"), Some(Kind::Web)),
            (web, Some(text), Some(Kind::WebText)),
            (text, Some(web), Some(Kind::Web)),
            (text, Some("application/grpc"), Some(Kind::WebText)),
            ("application/grpc", Some(text), Some(Kind::Grpc)),
            ("text/plain", Some(text), None),
        ] {
            assert_eq!(Kind::answering(&headers(content_type, accept)), kind, "{content_type}");
        }
    }

    #[test]
    fn the_message_format_is_kept() {
        for (from, kind, to) in [
            ("application/grpc-web-text+json", Kind::Grpc, "application/grpc+json"),
            ("application/grpc", Kind::Web, "application/grpc-web"),
            ("application/grpc+proto; a=b", Kind::WebText, "application/grpc-web-text+proto; a=b"),
            ("text/html; charset=utf-8", Kind::Web, "application/grpc-web"),
        ] {
            assert_eq!(kind.instead_of(Some(&HeaderValue::from_static(from))), to);
        }
        assert_eq!(Kind::Grpc.instead_of(None), "application/grpc");
    }
}
