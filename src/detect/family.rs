//! Which files are parts of one log: `auth.log`, `auth.log.1`, `auth-2025-03-02.jsonl.gz` tell one story.

/// The name that files of one log share: the path without compression suffix, rotation number and date.
#[must_use]
pub fn family_of(name: &str) -> String {
    let mut stem = name;
    for suffix in [".gz", ".zst", ".zstd"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    let (folder, file) = stem.rsplit_once(['/', '\\']).map_or(("", stem), |(folder, file)| (folder, file));
    let (base, extension) = file.rsplit_once('.').map_or((file, ""), |(base, extension)| (base, extension));
    // `auth.log.1`: what looks like an extension is a rotation number.
    let (base, extension) = if !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_digit()) {
        base.rsplit_once('.').map_or((base, ""), |(base, extension)| (base, extension))
    } else {
        (base, extension)
    };
    let words: Vec<&str> = base
        .split(['-', '_', '.'])
        .filter(|word| {
            !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T' || byte == b'Z')
        })
        .collect();
    let base = if words.is_empty() { base.to_owned() } else { words.join("-") };
    let file = if extension.is_empty() { base } else { format!("{base}.{extension}") };
    if folder.is_empty() { file } else { format!("{folder}/{file}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_do_not_part_a_log() {
        let cases = [
            ("logs/auth.log", "logs/auth.log"),
            ("logs/auth.log.1", "logs/auth.log"),
            ("logs/auth.log.2.gz", "logs/auth.log"),
            ("auth-2025-03-02.jsonl.zst", "auth.jsonl"),
            ("auth_20250302T0100Z.jsonl", "auth.jsonl"),
            ("2025-03-02.csv", "2025-03-02.csv"),
            ("a/b/events", "a/b/events"),
        ];
        for (name, family) in cases {
            assert_eq!(family_of(name), family);
        }
    }
}
