//! The two text formats, and which of them a scraper wants.

/// How numbers are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The Prometheus text format 0.0.4.
    Prometheus,
    /// The `OpenMetrics` text format 1.0.
    OpenMetrics,
}

impl Form {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What a scraper with this `Accept` wants: `OpenMetrics` when it names it and does not
    /// like plain text better, otherwise the Prometheus format, which everybody reads.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let (mut open, mut plain) = (0, 0);
        for range in accept.split(',') {
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = match name.trim().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => &mut open,
                "text/plain" => &mut plain,
                _ => continue,
            };
            *weight = quality(parameters).max(*weight);
        }
        if open > 0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }
}

/// The weight of a media range in thousandths (RFC 9110 section 12.4.2). One that cannot be read
/// counts as the default, 1.
fn quality(parameters: &str) -> u16 {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let Some((whole, part)) = weight.map(|text| text.split_once('.').unwrap_or((text, ""))) else {
        return 1000;
    };
    match (whole, format!("{part:0<3}").parse()) {
        ("0", Ok(thousandths @ 0..=999)) => thousandths,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scraper_chooses() {
        // What Prometheus 2 and 3 send.
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,\
                          text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, form) in [
            ("", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("text/html,*/*;q=0.8", Form::Prometheus),
            (prometheus, Form::OpenMetrics),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("Application/OpenMetrics-Text ; Q=0.001", Form::OpenMetrics),
            ("application/openmetrics-text;q=0", Form::Prometheus),
            ("application/openmetrics-text;q=0.000", Form::Prometheus),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.8", Form::Prometheus),
            ("text/plain, application/openmetrics-text", Form::OpenMetrics),
            ("application/openmetrics-text;q=nonsense", Form::OpenMetrics),
            (",;,=;q", Form::Prometheus),
        ] {
            assert_eq!(Form::accepted(accept), form, "{accept}");
        }
    }
}
