//! The codings, behind one form.

use std::io::{self, Write};

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use zstd::{stream::write::Encoder as ZstdEncoder, zstd_safe::CParameter};

use super::{CompressionSpec, Encoding};

/// How far back Brotli and Zstandard look, as a power of two: half a megabyte for each answer that
/// is on its way, where their own choice would be four.
const WINDOW: u8 = 19;
/// What Brotli collects before it works.
const BROTLI_BUFFER: usize = 4096;

/// How hard each coding tries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    br: u8,
    zstd: u8,
    gzip: u8,
}

impl Levels {
    pub(super) fn of(spec: &CompressionSpec) -> Self {
        let (br, zstd) = (spec.br_level.get(), spec.zstd_level.get());
        Self { br, zstd, gzip: spec.gzip_level.get() }
    }
}

/// A stream that is compressed as it comes.
pub(super) enum Encoder {
    Br(Box<CompressorWriter<Vec<u8>>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// An encoder for one body.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(super) fn new(encoding: Encoding, levels: Levels) -> io::Result<Self> {
        let out = Vec::new();
        Ok(match encoding {
            Encoding::Br => {
                let parameters = BrotliEncoderParams {
                    quality: i32::from(levels.br),
                    lgwin: i32::from(WINDOW),
                    ..BrotliEncoderParams::default()
                };
                let writer = CompressorWriter::with_params(out, BROTLI_BUFFER, &parameters);
                Self::Br(Box::new(writer))
            }
            Encoding::Zstd => {
                let mut encoder = ZstdEncoder::new(out, i32::from(levels.zstd))?;
                encoder.set_parameter(CParameter::WindowLog(u32::from(WINDOW)))?;
                Self::Zstd(encoder)
            }
            Encoding::Gzip => {
                let level = Compression::new(u32::from(levels.gzip));
                Self::Gzip(Box::new(GzEncoder::new(out, level)))
            }
        })
    }

    /// Takes more of the body.
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Br(encoder) => encoder.write_all(data),
            Self::Zstd(encoder) => encoder.write_all(data),
            Self::Gzip(encoder) => encoder.write_all(data),
        }
    }

    /// Makes all that was taken readable to the other side.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Br(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// What is ready so far.
    pub(super) fn take(&mut self) -> Bytes {
        let out = match self {
            Self::Br(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        };
        std::mem::take(out).into()
    }

    /// The end of the body.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        match self {
            Self::Br(encoder) => Ok(encoder.into_inner().into()),
            Self::Zstd(encoder) => encoder.finish().map(Bytes::from),
            Self::Gzip(encoder) => encoder.finish().map(Bytes::from),
        }
    }
}
