//! Numbers of bytes as people write them.

use std::{fmt, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// A number of bytes: `512B`, `64KiB`, `10MB`, `1GiB`, or a plain integer. Where it limits
/// something, `0` switches the limit off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// The units, largest first, each with its bytes. `Display` takes the first that divides.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// No bytes; as a limit, none.
    pub const ZERO: Self = Self(0);

    /// So many bytes.
    #[must_use]
    pub const fn bytes(n: u64) -> Self {
        Self(n)
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kib(n: u32) -> Self {
        Self((n as u64) << 10)
    }

    /// So many times 1024 × 1024 bytes.
    #[must_use]
    pub const fn mib(n: u32) -> Self {
        Self((n as u64) << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as a limit: `None` when it is zero.
    #[must_use]
    pub const fn limit(self) -> Option<u64> {
        if self.0 == 0 { None } else { Some(self.0) }
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl FromStr for ByteSize {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let bytes = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, bytes)) => *bytes,
            None if unit.is_empty() => 1,
            None => return Err(refusal(text, number, unit)),
        };
        if number.is_empty() {
            return Err(refusal(text, number, unit));
        }
        let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes));
        size.map(Self).ok_or_else(|| {
            InvalidValue::new(format!("the size {} is too large", Quoted(text)))
                .hint("write 0 for no limit")
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        let (unit, bytes) =
            UNITS.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

text_form!(ByteSize or number, "portway-size", "a number of bytes", ["64KiB", "10MB", "512B", "0"]);

/// Guesses what was meant.
fn refusal(text: &str, number: &str, unit: &str) -> InvalidValue {
    let refused = InvalidValue::new(format!("{} is not a number of bytes", Quoted(text)));
    let unit = unit.trim().to_ascii_lowercase();
    let meant = match unit.as_str() {
        "b" | "byte" | "bytes" => Some("B"),
        "k" | "ki" | "kib" => Some("KiB"),
        "m" | "mi" | "mib" => Some("MiB"),
        "g" | "gi" | "gib" => Some("GiB"),
        "t" | "ti" | "tib" => Some("TiB"),
        "kb" => Some("KB"),
        "mb" => Some("MB"),
        "gb" => Some("GB"),
        "tb" => Some("TB"),
        _ => None,
    };
    match meant {
        Some(unit) if !number.is_empty() => refused.hint(format!("write {number}{unit}")),
        _ if matches!(text, "off" | "none" | "unlimited") => {
            refused.hint("write 0 to switch it off")
        }
        _ => refused.hint("write 512B, 64KiB, 10MB or 1GiB, or an integer of bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_written() {
        for (text, bytes, shown) in [
            ("0", 0, "0"),
            ("0KiB", 0, "0"),
            ("512B", 512, "512B"),
            ("1500", 1500, "1500B"),
            ("64KiB", 65536, "64KiB"),
            ("65536", 65536, "64KiB"),
            ("10MB", 10_000_000, "10MB"),
            ("1GiB", 1 << 30, "1GiB"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.get(), size.to_string().as_str()), (bytes, shown), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        assert_eq!(ByteSize::kib(64), ByteSize::bytes(65536));
        assert_eq!(ByteSize::mib(1).limit(), Some(1 << 20));
        assert_eq!(ByteSize::ZERO.limit(), None);
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        for (text, hint) in [
            ("64k", "write 64KiB"),
            ("10 mb", "write 10MB"),
            ("off", "write 0 to switch it off"),
            ("-1", "write 512B, 64KiB, 10MB or 1GiB, or an integer of bytes"),
            ("KiB", "write 512B, 64KiB, 10MB or 1GiB, or an integer of bytes"),
            ("", "write 512B, 64KiB, 10MB or 1GiB, or an integer of bytes"),
            ("99999999TiB", "write 0 for no limit"),
        ] {
            let refusal = text.parse::<ByteSize>().unwrap_err();
            assert_eq!(refusal.hint.as_deref(), Some(hint), "{text}");
        }
    }
}
