//! The cookies of one endpoint. A load balancer sets them to keep us at one indexer, which alone knows our acknowledgements.
//!
//! They are sent back to the very address that set them and nowhere else, so domain, path and age play no part.

use watchbell_sink::http::{HeaderMap, HeaderValue, header};

/// More is no load balancer's.
const MOST: usize = 20;
const LONGEST: usize = 4096;

/// Name and value of each cookie.
#[derive(Debug, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Reads what [`Cookies::text`] gave.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split("; ").filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Takes over what an answer sets; whether anything changed.
    pub(crate) fn take(&mut self, headers: &HeaderMap) -> bool {
        let mut changed = false;
        for value in headers.get_all(header::SET_COOKIE) {
            let Ok(line) = value.to_str() else { continue };
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() || pair.len() > LONGEST {
                continue;
            }
            let gone = value.is_empty() || attributes.split(';').any(|it| it.trim().eq_ignore_ascii_case("max-age=0"));
            changed |= self.set(name, if gone { None } else { Some(value) });
        }
        changed
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> bool {
        let found = self.0.iter().position(|(known, _)| known == name);
        match (found, value) {
            (Some(at), Some(value)) if self.0[at].1 == value => false,
            (Some(at), Some(value)) => {
                value.clone_into(&mut self.0[at].1);
                true
            }
            (Some(at), None) => {
                self.0.remove(at);
                true
            }
            (None, Some(value)) if self.0.len() < MOST => {
                self.0.push((name.to_owned(), value.to_owned()));
                true
            }
            (None, _) => false,
        }
    }

    /// As the header `Cookie` spells them; empty without any.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// The header `Cookie`; `None` without any.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.text()).ok().filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let pair = |line: &&str| (header::SET_COOKIE, line.parse().unwrap());
        lines.iter().map(pair).collect()
    }

    #[test]
    fn cookies_are_kept_replaced_and_dropped() {
        let mut cookies = Cookies::default();
        assert!(cookies.header().is_none());
        assert!(cookies.take(&headers(&["AWSALB=one; Path=/; Expires=x", "b=2=3; HttpOnly", "nonsense", "=x"])));
        assert_eq!(cookies.text(), "AWSALB=one; b=2=3");
        assert!(!cookies.take(&headers(&["b=2=3"])), "nothing new");
        assert!(cookies.take(&headers(&["AWSALB=two", "b=; Path=/"])));
        assert_eq!(Cookies::parse(&cookies.text()).text(), "AWSALB=two");
        assert!(cookies.take(&headers(&["AWSALB=x; Max-Age=0"])));
        assert_eq!(cookies.text(), "");
    }

    #[test]
    fn there_is_an_end_to_cookies() {
        let mut cookies = Cookies::default();
        for number in 0..100 {
            cookies.take(&headers(&[&format!("c{number}=1")]));
        }
        cookies.take(&headers(&[&format!("c0={}", "x".repeat(LONGEST))]));
        assert_eq!(cookies.0.len(), MOST);
        assert_eq!(cookies.0[0].1, "1");
    }
}
