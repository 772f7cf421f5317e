//! Writes families and samples in either text format.

use std::fmt::{Display, Write};

use super::{
    catalog::{Family, Kind},
    form::Form,
    histogram::{BOUNDS, HistogramSum},
};

/// A scrape being written.
pub(super) struct Exposition {
    form: Form,
    text: String,
    /// The labels of the sample at hand.
    labels: String,
}

/// The samples of one family.
pub(super) struct Samples<'a> {
    exposition: &'a mut Exposition,
    family: &'static Family,
}

/// A number with decimals after the point, without a detour over floats.
pub(super) struct Decimal<const DIGITS: u32>(pub(super) u64);

impl Exposition {
    pub(super) fn new(form: Form) -> Self {
        Self { form, text: String::new(), labels: String::new() }
    }

    /// Begins a family.
    pub(super) fn family(&mut self, family: &'static Family) -> Samples<'_> {
        // In OpenMetrics the family of a counter does not carry the suffix of its samples.
        let name = match self.form {
            Form::Prometheus => family.name,
            Form::OpenMetrics => family.name.strip_suffix("_total").unwrap_or(family.name),
        };
        self.line(format_args!("# HELP {name} {}", family.help));
        self.line(format_args!("# TYPE {name} {}", family.kind.as_str()));
        Samples { exposition: self, family }
    }

    /// The whole scrape.
    pub(super) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.text, "{line}").expect("writing to a string cannot fail");
    }
}

impl Samples<'_> {
    /// Writes one sample; the labels are those of the family, in its order.
    pub(super) fn sample(&mut self, labels: &[&str], value: impl Display) {
        self.set_labels(labels);
        self.row("", "", value);
    }

    /// Writes the rows of one histogram.
    pub(super) fn histogram(&mut self, labels: &[&str], sum: &HistogramSum) {
        debug_assert_eq!(self.family.kind, Kind::Histogram);
        self.set_labels(labels);
        let mut below = 0;
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (bound, bucket) in bounds.zip(&sum.buckets) {
            below += bucket;
            self.row("_bucket", bound, below);
        }
        self.row("_sum", "", Decimal::<6>(sum.micros));
        self.row("_count", "", below);
    }

    fn set_labels(&mut self, values: &[&str]) {
        debug_assert_eq!(values.len(), self.family.labels.len(), "{}", self.family.name);
        let labels = &mut self.exposition.labels;
        labels.clear();
        for (name, value) in self.family.labels.iter().zip(values) {
            push_label(labels, name, value);
        }
    }

    fn row(&mut self, suffix: &str, bound: &str, value: impl Display) {
        let Exposition { text, labels, .. } = &mut *self.exposition;
        text.push_str(self.family.name);
        text.push_str(suffix);
        if !labels.is_empty() || !bound.is_empty() {
            text.push('{');
            text.push_str(labels);
            if !bound.is_empty() {
                push_label(text, "le", bound);
            }
            // Each label ends with a comma; the last one has none.
            text.pop();
            text.push('}');
        }
        writeln!(text, " {value}").expect("writing to a string cannot fail");
    }
}

impl<const DIGITS: u32> Display for Decimal<DIGITS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = const { 10_u64.pow(DIGITS) };
        let width = const { DIGITS as usize };
        write!(f, "{}.{:0width$}", self.0 / unit, self.0 % unit)
    }
}

/// Appends `name="value",` with the value escaped, as both formats want it.
fn push_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    for part in value.split_inclusive(['\\', '"', '\n']) {
        let plain = part.trim_end_matches(['\\', '"', '\n']);
        text.push_str(plain);
        match &part[plain.len()..] {
            "\\" => text.push_str("\\\\"),
            "\"" => text.push_str("\\\""),
            "\n" => text.push_str("\\n"),
            _ => {}
        }
    }
    text.push_str("\",");
}

#[cfg(test)]
mod tests {
    use super::*;

    static COUNTER: Family =
        Family { name: "a_total", kind: Kind::Counter, labels: &["x", "y"], help: "Help." };
    static HISTOGRAM: Family =
        Family { name: "b_seconds", kind: Kind::Histogram, labels: &[], help: "Help." };

    #[test]
    fn label_values_are_escaped() {
        let mut exposition = Exposition::new(Form::Prometheus);
        exposition.family(&COUNTER).sample(&["a\\\"b\n\n", ""], 1);
        let expected = "# HELP a_total Help.\n# TYPE a_total counter\n\
                        a_total{x=\"a\\\\\\\"b\\n\\n\",y=\"\"} 1\n";
        assert_eq!(exposition.finish(), expected);
    }

    #[test]
    fn the_formats_differ_where_they_must() {
        let mut exposition = Exposition::new(Form::OpenMetrics);
        exposition.family(&COUNTER).sample(&["1", "2"], Decimal::<2>(1005));
        let expected = "# HELP a Help.\n# TYPE a counter\n\
                        a_total{x=\"1\",y=\"2\"} 10.05\n# EOF\n";
        assert_eq!(exposition.finish(), expected);
    }

    #[test]
    fn buckets_add_up() {
        let mut exposition = Exposition::new(Form::Prometheus);
        let mut sum = HistogramSum { micros: 2_000_001, ..HistogramSum::default() };
        (sum.buckets[0], sum.buckets[2], sum.buckets[15]) = (1, 2, 4);
        exposition.family(&HISTOGRAM).histogram(&[], &sum);
        let text = exposition.finish();
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(rows[0], "b_seconds_bucket{le=\"0.0005\"} 1");
        assert_eq!(rows[1], "b_seconds_bucket{le=\"0.001\"} 1");
        assert_eq!(rows[2], "b_seconds_bucket{le=\"0.0025\"} 3");
        assert_eq!(rows[15], "b_seconds_bucket{le=\"+Inf\"} 7");
        assert_eq!(rows[16..], ["b_seconds_sum 2.000001", "b_seconds_count 7"]);
    }
}
