//! `${NAME}` and `${NAME:-default}` in string values.
//!
//! This happens after TOML was parsed, so that a variable's content can never become keys or tables.

use std::ffi::OsString;

/// Puts variables in. `$$` stands for one `$`; an empty variable counts as unset, as in the shell's `:-`.
pub(super) fn interpolate(text: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find('$') {
        out.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let (reference, after) = inner
                .split_once('}')
                .ok_or_else(|| "`${` is never closed, expected `}` (write `$$` for a dollar sign)".to_owned())?;
            out.push_str(&resolve(reference, variable)?);
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn resolve(reference: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<String, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let is_name = !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(format!("`{name}` is no name of a variable, expected letters, digits and `_`"));
    }
    match variable(name).filter(|value| !value.is_empty()) {
        Some(value) => value.into_string().map_err(|_| format!("the variable `{name}` is not UTF-8")),
        None => default.map(str::to_owned).ok_or_else(|| {
            format!("the variable `{name}` is not set; set it, or give a default with `${{{name}:-default}}`")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        interpolate(text, &|name| match name {
            "HOME_DIR" => Some("/srv".into()),
            "NESTED" => Some("${HOME_DIR}".into()),
            "EMPTY" => Some("".into()),
            _ => None,
        })
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        for (text, expected) in [
            ("${HOME_DIR}/logs", "/srv/logs"),
            ("${NO_SUCH:-x}${EMPTY:-y}", "xy"),
            ("${NO_SUCH:-}", ""),
            ("cost $5, $${HOME_DIR}", "cost $5, ${HOME_DIR}"),
            ("plain", "plain"),
            ("$", "$"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_a_variable_holds_is_not_read_again() {
        assert_eq!(filled("${NESTED}").as_deref(), Ok("${HOME_DIR}"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(filled("${NO_SUCH}").unwrap_err().contains("`NO_SUCH` is not set"));
        assert!(filled("${EMPTY}").unwrap_err().contains("`EMPTY` is not set"));
        assert!(filled("${HOME_DIR").unwrap_err().contains("never closed"));
        assert!(filled("${a b}").unwrap_err().contains("no name of a variable"));
    }
}
