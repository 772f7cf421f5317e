//! What a client prefers (RFC 9110 section 12.5.3).

use http::{HeaderMap, HeaderValue, header};

use super::Encoding;

/// The coding that is taken: the one the client likes best; of several it likes equally, the first
/// of `offered`. `None` where it is to have the answer as it is.
pub(super) fn choose(headers: &HeaderMap, offered: &[Encoding]) -> Option<Encoding> {
    let asked = Asked::read(headers);
    let identity = asked.identity();
    let mut best: Option<(Encoding, u16)> = None;
    for &encoding in offered {
        let liked = asked.quality(encoding);
        if liked > 0 && liked >= identity && best.is_none_or(|(_, most)| liked > most) {
            best = Some((encoding, liked));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// How much is liked, in thousandths, of what was named.
#[derive(Debug, Default)]
struct Asked {
    br: Option<u16>,
    zstd: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Asked {
    fn read(headers: &HeaderMap) -> Self {
        let mut asked = Self::default();
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let lines = lines.filter_map(|line: &HeaderValue| line.to_str().ok());
        for element in lines.flat_map(|line| line.split(',')) {
            let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
            // One that says nothing readable of how much it is liked is as good as not named.
            let Some(quality) = quality(parameters) else { continue };
            let name = name.trim_ascii();
            let named = |known: &str| name.eq_ignore_ascii_case(known);
            let slot = if named("br") {
                &mut asked.br
            } else if named("zstd") {
                &mut asked.zstd
            } else if named("gzip") || named("x-gzip") {
                &mut asked.gzip
            } else if named("identity") {
                &mut asked.identity
            } else if named("*") {
                &mut asked.any
            } else {
                continue;
            };
            *slot = Some(slot.map_or(quality, |before| before.max(quality)));
        }
        asked
    }

    fn quality(&self, encoding: Encoding) -> u16 {
        let named = match encoding {
            Encoding::Br => self.br,
            Encoding::Zstd => self.zstd,
            Encoding::Gzip => self.gzip,
        };
        named.or(self.any).unwrap_or(0)
    }

    /// Whoever does not name it takes it, when there is nothing else.
    fn identity(&self) -> u16 {
        self.identity.unwrap_or(0)
    }
}

/// `q=0.5` as thousandths; all of it where nothing is said. `None` for what is no quality.
fn quality(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim_ascii();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    if !name.trim_ascii().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim_ascii();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_decides_and_the_order_breaks_ties() {
        use Encoding::{Br, Gzip, Zstd};
        for (asked, chosen) in [
            ("gzip, deflate, br, zstd", Some(Br)),
            ("gzip;q=1.0, br;q=0.9", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("zstd;q=0.001", Some(Zstd)),
            ("br;q=0, gzip;q=0, *", Some(Zstd)),
            ("*", Some(Br)),
            ("*;q=0", None),
            ("*;q=0, gzip", Some(Gzip)),
            ("identity, br;q=0.5", None),
            ("identity;q=0.5, br;q=0.5", Some(Br)),
            ("identity;q=0, br;q=0.1", Some(Br)),
            ("identity;q=0", None),
            ("identity", None),
            ("", None),
            ("deflate", None),
            ("br;q=0", None),
            ("br;q=0.000", None),
            ("br ; Q=0.5 , gzip;q=0.4", Some(Br)),
            ("br;q=2, gzip;q=0.1", Some(Gzip)),
            ("br;q=0.1234", None),
            ("br;q=-1", None),
            ("br;level=1", None),
            ("br;q=1.001", None),
            ("br;q=", None),
            ("gzip;q=0.5, gzip;q=0.9, br;q=0.8", Some(Gzip)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, asked.parse().unwrap());
            assert_eq!(choose(&headers, &[Br, Zstd, Gzip]), chosen, "{asked}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(choose(&headers, &[Br]), None);
        headers.append(header::ACCEPT_ENCODING, "br;q=0".parse().unwrap());
        headers.append(header::ACCEPT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(choose(&headers, &[Br, Gzip]), Some(Gzip), "all lines count");
        headers.insert(header::ACCEPT_ENCODING, "br, gzip".parse().unwrap());
        assert_eq!(choose(&headers, &[Gzip, Br]), Some(Gzip), "the order of the configuration");
    }
}
