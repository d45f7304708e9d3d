//! Times of any other shape: cut into tokens, whose shapes say what they are.

use jiff::tz::TimeZone;

use super::*;

/// What the tokens of a time say.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) clock: Option<Clock>,
    pub(super) offset: Option<i32>,
    pub(super) afternoon: Option<bool>,
    pub(super) month: Option<i32>,
    pub(super) year: Option<i32>,
    /// Numbers of the date, each with its count of digits, in order.
    pub(super) numbers: [(i32, usize); 3],
    pub(super) count: usize,
    pub(super) dotted: bool,
}

impl Fields {
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut fields = Self::default();
        // No time is longer than this; what is, is prose.
        let mut rest = text.as_bytes().get(..text.len().min(64))?;
        if text.len() > 64 {
            return None;
        }
        while let [first, tail @ ..] = rest {
            rest = match first {
                b'0'..=b'9' => fields.number(rest)?,
                b'A'..=b'Z' | b'a'..=b'z' => fields.word(rest)?,
                b'+' | b'-' if fields.clock.is_some() && tail.first().is_some_and(u8::is_ascii_digit) => {
                    fields.offset_or_number(rest)?
                }
                b' ' | b',' | b'/' | b'-' | b':' | b'.' | b'(' | b')' | b'[' | b']' => tail,
                _ => return None,
            };
        }
        (fields.count > 0).then_some(fields)
    }

    pub(super) fn number<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let after = &rest[length..];
        if self.clock.is_none() && length <= 2 && matches!(after, [b':', next, ..] if next.is_ascii_digit()) {
            return self.clock(rest);
        }
        match length {
            14 if self.count == 0 => return self.compact(rest),
            8 if self.count == 0 => {
                self.push(&rest[..4])?;
                self.push(&rest[4..6])?;
                self.push(&rest[6..8])?;
                return Some(after);
            }
            6 if self.count == 3 && self.clock.is_none() => {
                self.clock = Some(compact_clock(rest.first_chunk()?)?);
                return Some(after);
            }
            _ => {}
        }
        self.dotted |= after.first() == Some(&b'.') && self.clock.is_none();
        self.push(&rest[..length])?;
        Some(after)
    }

    pub(super) fn push(&mut self, digits: &[u8]) -> Option<()> {
        if digits.len() > 4 || self.count == 3 {
            return None;
        }
        let value = digits.iter().fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'));
        if digits.len() == 4 {
            if self.year.is_some() {
                return None;
            }
            self.year = Some(value);
        }
        self.numbers[self.count] = (value, digits.len());
        self.count += 1;
        Some(())
    }

    /// `H:MM`, `H:MM:SS` and a fraction.
    pub(super) fn clock<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let mut parts = [0; 3];
        let mut rest = rest;
        for (index, part) in parts.iter_mut().enumerate() {
            let length = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            *part = rest[..length].iter().fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'));
            rest = &rest[length..];
            match rest {
                [b':', tail @ ..] if index < 2 => rest = tail,
                _ => break,
            }
        }
        let mut millis = 0;
        if let [b'.' | b',', tail @ ..] = rest
            && tail.first().is_some_and(u8::is_ascii_digit)
        {
            let length = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            millis = milli_digits(&tail[..length]);
            rest = &tail[length..];
        }
        self.clock = Some(Clock { hour: parts[0], minute: parts[1], second: parts[2], millis });
        Some(rest)
    }

    /// `YYYYMMDDHHMMSS`.
    pub(super) fn compact<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        self.push(&rest[..4])?;
        self.push(&rest[4..6])?;
        self.push(&rest[6..8])?;
        let mut clock = compact_clock(rest[8..].first_chunk()?)?;
        let mut after = &rest[14..];
        if let [b'.', tail @ ..] = after {
            let length = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            clock.millis = milli_digits(&tail[..length]);
            after = &tail[length..];
        }
        self.clock = Some(clock);
        Some(after)
    }

    pub(super) fn offset_or_number<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let length = 1 + rest[1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
        let text = &rest[..length];
        // `12:00:00-2025` does not occur; WMI writes its offset in minutes: `+060`.
        self.offset = Some(match text.len() {
            4 => {
                let minutes = text[1..]
                    .iter()
                    .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))?;
                if text[0] == b'-' { -minutes * 60 } else { minutes * 60 }
            }
            _ => offset_seconds(text)?,
        });
        Some(&rest[length..])
    }

    pub(super) fn word<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let after = &rest[length..];
        let mut lower = [0_u8; 9];
        let lower = lower.get_mut(..length)?;
        lower.copy_from_slice(&rest[..length]);
        lower.make_ascii_lowercase();
        match &*lower {
            b"t" | b"at" | b"of" => {}
            b"am" => self.afternoon = Some(false),
            b"pm" => self.afternoon = Some(true),
            word if self.clock.is_some() && abbreviated_zone(word).is_some() => self.offset = abbreviated_zone(word),
            word => {
                if let Some(month) = month_by_name(word) {
                    self.month = Some(month);
                } else if !is_weekday(word) {
                    return None;
                }
            }
        }
        Some(after)
    }

    /// Year, month, day.
    pub(super) fn date(&self, assumed_year: Option<i32>) -> Option<(i32, i32, i32)> {
        let numbers = &self.numbers[..self.count];
        if let Some(month) = self.month {
            let day = numbers.iter().find(|(_, length)| *length <= 2)?.0;
            let expected = if self.year.is_some() { 2 } else { 1 };
            let year = self.year.or(assumed_year)?;
            return (numbers.len() == expected).then_some((year, month, day));
        }
        let [(first, first_length), (second, _), (third, third_length)] = *numbers else { return None };
        match (first_length, third_length) {
            (4, 1..=2) => Some((first, second, third)),
            (1..=2, 4) if self.dotted || first > 12 => Some((third, second, first)),
            (1..=2, 4) => Some((third, first, second)),
            _ => None,
        }
    }

    pub(super) fn millis(&self, date: (i32, i32, i32), zone: &TimeZone) -> Option<i64> {
        let mut clock = self.clock.unwrap_or_default();
        if let Some(afternoon) = self.afternoon {
            if !(1..=12).contains(&clock.hour) {
                return None;
            }
            clock.hour = clock.hour % 12 + if afternoon { 12 } else { 0 };
        }
        to_millis(date, clock, self.offset, zone)
    }
}

pub(super) fn compact_clock(digits: &[u8; 6]) -> Option<Clock> {
    Some(Clock {
        hour: digits2(digits[0], digits[1])?,
        minute: digits2(digits[2], digits[3])?,
        second: digits2(digits[4], digits[5])?,
        millis: 0,
    })
}

pub(super) fn month_by_name(word: &[u8]) -> Option<i32> {
    const NAMES: [&[u8]; 12] = [
        b"january",
        b"february",
        b"march",
        b"april",
        b"may",
        b"june",
        b"july",
        b"august",
        b"september",
        b"october",
        b"november",
        b"december",
    ];
    if word.len() < 3 {
        return None;
    }
    NAMES.iter().position(|name| name.starts_with(word)).map(|index| index as i32 + 1)
}

pub(super) fn is_weekday(word: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];
    word.len() >= 3 && NAMES.iter().any(|name| name.starts_with(word))
}

/// The abbreviations that logs use and that mean one thing nearly everywhere.
pub(super) fn abbreviated_zone(word: &[u8]) -> Option<i32> {
    let hours = match word {
        b"z" | b"utc" | b"gmt" | b"wet" => 0,
        b"cet" | b"west" | b"bst" => 1,
        b"cest" | b"eet" => 2,
        b"eest" | b"msk" => 3,
        b"jst" | b"kst" => 9,
        b"aest" => 10,
        b"edt" => -4,
        b"est" | b"cdt" => -5,
        b"cst" | b"mdt" => -6,
        b"mst" | b"pdt" => -7,
        b"pst" => -8,
        _ => return None,
    };
    Some(hours * 3_600)
}
