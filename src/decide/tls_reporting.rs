//! Does a domain want reports about TLS?
//!
//! Source: RFC 8460 §3: one TXT record at `_smtp._tls.DOMAIN` that begins with `v=TLSRPTv1`, with `rua` of `mailto:` or `https:`; several such records are as
//! good as none.

/// Do these texts ask for reports?
#[must_use]
pub fn asks_for_reports<'a>(texts: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> bool {
    let records: Vec<_> = texts.filter(|text| version(text).is_some()).collect();
    let [only] = &records[..] else { return false };
    let places = version(only).into_iter().flat_map(|rest| rest.split(';')).filter_map(|field| field.trim().strip_prefix("rua="));
    places.flat_map(|list| list.split(',')).any(|place| {
        let place = place.trim();
        ["mailto:", "https:"].iter().any(|scheme| place.len() > scheme.len() && place.to_ascii_lowercase().starts_with(scheme))
    })
}

/// What follows `v=TLSRPTv1`.
fn version(text: &str) -> Option<&str> {
    text.strip_prefix("v=TLSRPTv1").filter(|rest| rest.trim_start_matches([' ', '\t']).starts_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks() {
        let good = "v=TLSRPTv1; rua=mailto:tls@d.test";
        let cases: [(&[&str], bool); 9] = [
            (&[], false),
            (&[good], true),
            (&["v=TLSRPTv1;rua=https://r.test/v1,mailto:t@d.test"], true),
            (&["v=TLSRPTv1 ; rua = mailto:t@d.test"], false),
            (&[good, "v=spf1 -all"], true),
            (&[good, good], false),
            (&["v=TLSRPTv2; rua=mailto:tls@d.test"], false),
            (&["v=TLSRPTv1; rua=ftp://d.test"], false),
            (&["v=TLSRPTv1"], false),
        ];
        for (texts, expected) in cases {
            assert_eq!(asks_for_reports(texts.iter().map(|text| (*text).into())), expected, "{texts:?}");
        }
    }
}
