//! What a configuration says about compression.

use portway_plugin::value::{ByteSize, MediaPattern};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Which answers are compressed, and how. Everything has a default: `compression: {}` will do.
///
/// Never compressed are answers that are already, answers without a body, ranges, answers with
/// `Cache-Control: no-transform`, `text/event-stream` and gRPC.
///
/// Secrets in an answer that also repeats what a client sent can be guessed by the size of the
/// compressed answer (the attack called BREACH): leave such routes out.
///
/// ```yaml
/// encodings: [zstd, gzip]
/// min_length: 1KiB
/// types: [text/*, application/json]
/// gzip_level: 6
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CompressionSpec {
    /// The codings that are offered. Of several a client likes equally, the first one here is
    /// taken. Default: `[br, zstd, gzip]`.
    pub encodings: Vec<Encoding>,
    /// The shortest body that is compressed. One whose length nobody knows beforehand always is.
    /// Default: 1KiB.
    pub min_length: ByteSize,
    /// The types of content that are compressed. Default: texts, JSON, XML, JavaScript,
    /// WebAssembly, SVG, and fonts that are not compressed by themselves.
    pub types: Vec<MediaPattern>,
    /// How hard Brotli tries: 0 to 11. Above 5 it costs many times the processor time. Default: 4.
    pub br_level: Level<0, 11>,
    /// How hard Zstandard tries: 1 to 19. Above 9 it costs many times the processor time. Default:
    /// 3.
    pub zstd_level: Level<1, 19>,
    /// How hard gzip tries: 1 to 9. Default: 5.
    pub gzip_level: Level<1, 9>,
}

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli (RFC 7932).
    Br,
    /// Zstandard (RFC 8878).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
}

/// How hard a coding tries, within its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct Level<const MIN: u8, const MAX: u8>(u8);

impl<const MIN: u8, const MAX: u8> Level<MIN, MAX> {
    /// The level.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl<const MIN: u8, const MAX: u8> TryFrom<u8> for Level<MIN, MAX> {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, String> {
        match (MIN..=MAX).contains(&level) {
            true => Ok(Self(level)),
            false => Err(format!("{level} is not a level from {MIN} to {MAX}")),
        }
    }
}

impl<const MIN: u8, const MAX: u8> JsonSchema for Level<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Level{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl Default for CompressionSpec {
    fn default() -> Self {
        let types = [
            "text/*",
            "application/json",
            "application/*+json",
            "application/xml",
            "application/*+xml",
            "application/javascript",
            "application/wasm",
            "application/x-ndjson",
            "application/yaml",
            "image/svg+xml",
            "font/ttf",
            "font/otf",
        ];
        Self {
            encodings: vec![Encoding::Br, Encoding::Zstd, Encoding::Gzip],
            min_length: ByteSize::kib(1),
            types: types.map(|kind| kind.parse().expect("a type of content")).into(),
            br_level: Level(4),
            zstd_level: Level(3),
            gzip_level: Level(5),
        }
    }
}
