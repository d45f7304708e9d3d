//! Addresses within the pages. Names come from logs and ids from files, so each is encoded before it is part of one.

/// The page of a finding.
#[must_use]
pub fn finding(id: &str) -> String {
    format!("/findings/{}", encoded(id))
}

/// The overview with these filters; those that are empty are left out.
#[must_use]
pub fn overview<'a>(filters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let given = filters.into_iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = given.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    if pairs.is_empty() { "/".to_owned() } else { format!("/?{}", pairs.join("&")) }
}

/// Every byte that is not unreserved (RFC 3986) as `%XX`.
fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            shown.push_str(&format!("%{byte:02X}"));
        }
    }
    // `.` and `..` would be resolved away instead of being an id.
    if shown.bytes().all(|byte| byte == b'.') { shown.replace('.', "%2E") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_leaves_its_place() {
        assert_eq!(finding("0a1b"), "/findings/0a1b");
        assert_eq!(finding("../../login?x=\"><"), "/findings/..%2F..%2Flogin%3Fx%3D%22%3E%3C");
        assert_eq!(finding(".."), "/findings/%2E%2E");
        assert_eq!(overview([("entity", "a&b=ü"), ("threat", "")]), "/?entity=a%26b%3D%C3%BC");
        assert_eq!(overview([("threat", "")]), "/");
    }
}
