//! The nearest of some names to a misspelt one.
//!
//! A case that differs is no distance at all: `user_login` means `USER_LOGIN`.

/// The name that the writer probably meant; `None` when none is close.
#[must_use]
pub fn nearest<'a>(misspelt: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Distance costs the product of the lengths; no name is near this long.
    if misspelt.len() > 128 {
        return None;
    }
    let wanted = misspelt.to_ascii_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_ascii_lowercase()), name))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, name)| distance <= (name.len() / 3).clamp(1, 4))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_close_one_is_found_and_a_far_one_is_not() {
        let names = ["USER_LOGIN", "USER_LOGOUT", "GENERIC_EVENT"];
        assert_eq!(nearest("USER_LOGINX", names), Some("USER_LOGIN"));
        assert_eq!(nearest("user_login", names), Some("USER_LOGIN"));
        assert_eq!(nearest("EXPLOSION", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), names), None);
    }
}
