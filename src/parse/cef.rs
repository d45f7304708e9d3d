//! The Common Event Format inside syslog: `CEF:0|vendor|product|version|id|name|severity|key=value ..`.

use super::{Slot, record::Record};

/// Feeds its fields; whether it was one.
pub(super) fn read(record: &mut Record<'_>, text: &str) -> bool {
    let mut parts = Vec::with_capacity(8);
    let (mut from, mut escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'|' if parts.len() < 7 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    let [_, vendor, product, _, _, name, _] = *parts.as_slice() else { return false };
    record.text(Slot::Action, name);
    record.field("deviceVendor", vendor);
    record.field("deviceProduct", product);
    extension(record, &text[from..]);
    true
}

/// Values may hold spaces: each goes on to the word before the next equals sign.
fn extension(record: &mut Record<'_>, text: &str) {
    let mut rest = text.trim();
    while let Some((key, value)) = rest.split_once('=') {
        let next = unescaped_equals(value).and_then(|equals| value[..equals].rfind(' '));
        let (value, after) = next.map_or((value, ""), |space| (&value[..space], &value[space + 1..]));
        record.field(key.trim(), &value.trim().replace("\\=", "="));
        rest = after;
    }
}

fn unescaped_equals(text: &str) -> Option<usize> {
    memchr::memchr_iter(b'=', text.as_bytes()).find(|&at| at == 0 || text.as_bytes()[at - 1] != b'\\')
}
