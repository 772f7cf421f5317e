//! Lengths of time and numbers of bytes, told apart from what is neither. What they are worth, the
//! gateway reads when it is built: the grammar is that of `Duration` and `ByteSize` in
//! `portway-plugin` (`value/duration.rs`, `value/size.rs`), which this crate does not see. The
//! tests of `portway` hold the two side by side.

use syn::LitStr;

/// Units, each with its milliseconds, in the order in which a duration has them.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Ten years.
const LONGEST: u64 = 10 * 365 * 24 * 3_600_000;

/// Units, each with its bytes.
const SIZES: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Sees to it that the text of an argument is a duration.
pub(crate) fn duration(name: &str, text: &LitStr) -> syn::Result<()> {
    let possible = "write 500ms, 5s, 1m30s or 2h (units h, m, s, ms in this order, at most ten \
                    years), or 0 for no limit";
    sure(is_duration(&text.value()), name, text, "duration", possible)
}

/// Sees to it that the text of an argument is a number of bytes.
pub(crate) fn size(name: &str, text: &LitStr) -> syn::Result<()> {
    let possible = "write 512B, 64KiB, 10MB or 1GiB, or 0 for no limit";
    sure(is_size(&text.value()), name, text, "number of bytes", possible)
}

fn sure(is_it: bool, name: &str, text: &LitStr, what: &str, possible: &str) -> syn::Result<()> {
    if is_it {
        return Ok(());
    }
    let message = format!("`{name}` is a {what}, and {:?} is none: {possible}", text.value());
    Err(syn::Error::new(text.span(), message))
}

fn is_duration(text: &str) -> bool {
    let (mut rest, mut total, mut units) = (text, 0_u64, TIMES.as_slice());
    while !rest.is_empty() && text != "0" {
        let (number, tail) = counted(rest);
        let letters = tail.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
        let (unit, tail) = tail.split_at(letters);
        let Some(at) = units.iter().position(|(name, _)| *name == unit) else { return false };
        let millis = number.and_then(|number| number.checked_mul(units[at].1));
        let Some(sum) = millis.and_then(|millis| total.checked_add(millis)) else { return false };
        (rest, total, units) = (tail, sum, &units[at + 1..]);
    }
    !text.is_empty() && total <= LONGEST
}

fn is_size(text: &str) -> bool {
    let (number, unit) = counted(text);
    let bytes = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| bytes);
    number.zip(bytes).is_some_and(|(number, bytes)| number.checked_mul(*bytes).is_some())
}

/// The number that a text begins with, and what follows it.
fn counted(text: &str) -> (Option<u64>, &str) {
    let (number, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    (number.parse().ok(), rest)
}
