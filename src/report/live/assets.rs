//! Style, script and sign of the pages. An asset's address holds a hash of its content, so that browsers may keep it for
//! good and still never show a page with the assets of another version.

use sha2::{Digest, Sha256};

use crate::report::html;

/// A file that the pages load.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its name in the templates.
    pub(super) key: &'static str,
    /// Its name in the address: with the hash of its content.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub text: String,
}

impl Asset {
    fn new(key: &'static str, (stem, ending): (&str, &str), media_type: &'static str, text: String) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { key, name: format!("{stem}-{hash}.{ending}"), media_type, text }
    }

    /// Where it is served.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// All of them.
pub(super) fn all() -> Vec<Asset> {
    let style = html::unix_lines(&[html::STYLE, include_str!("live.css")].concat());
    let script = html::unix_lines(include_str!("live.js"));
    let icon = html::unix_lines(include_str!("bell.svg"));
    vec![
        Asset::new("style_at", ("page", "css"), "text/css; charset=utf-8", style),
        Asset::new("script_at", ("page", "js"), "text/javascript; charset=utf-8", script),
        Asset::new("icon_at", ("bell", "svg"), "image/svg+xml", icon),
    ]
}
