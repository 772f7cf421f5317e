//! Values that cannot hold nonsense: parsed once at the door, never checked again.
//!
//! Each has one text form, which `FromStr` reads and `Display` writes; serde and the JSON Schema
//! use that form, so that a value looks the same in a file, in the admin API and in a message.

mod address;
mod domain_pattern;
mod duration;
mod error_status;
mod expression;
mod fetch_url;
mod field;
mod file_path;
mod host;
mod host_pattern;
mod http_version;
mod line_template;
mod media;
mod name;
mod origin;
mod path;
mod pem;
mod percent;
mod rate;
mod regex;
mod secret;
mod size;
mod template;
mod text;
mod text_template;
mod time_of_day;
mod token;
mod url;

pub use address::{BindAddr, Cidr, ListenAddr, PeerAddr};
pub use domain_pattern::{DomainForm, DomainPattern};
pub use duration::Duration;
pub use error_status::ErrorStatus;
pub use expression::{Expression, NoValue};
pub use fetch_url::FetchUrl;
pub use field::{FieldName, FieldValue, Method, Status, UpgradeProtocol};
pub use file_path::FilePath;
pub use host::HostValue;
pub use host_pattern::HostPattern;
pub use http_version::HttpVersion;
pub use line_template::LineTemplate;
pub use media::MediaPattern;
pub use name::{Name, NamespaceScope, Weight};
pub use origin::OriginPattern;
pub use path::{
    AmbiguousPath, Part, Parts, PathPattern, PathPrefix, PathShape, RequestPath, Segment,
    normalize_path,
};
pub use pem::{Certificates, PrivateKey, is_pem};
pub use percent::Percent;
pub use rate::Rate;
pub use regex::Regex;
pub use secret::{MASKED, Secret};
pub use size::ByteSize;
pub use template::PathTemplate;
pub use text::{FORMATS, Format, InvalidValue, Quoted, TextForm};
pub use text_template::{InvalidTemplate, RequestValue, TextPart, TextTemplate};
pub use time_of_day::{TimeOfDay, UtcOffset};
pub use token::Token;
pub use url::{EndpointScheme, Scheme, ServiceUrl};
