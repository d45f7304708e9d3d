//! A strict reader of RFC 5424 section 6: whatever the grammar does not allow is an error.

/// The name of an element, and its parameters.
pub(crate) type Element = (String, Vec<(String, String)>);

/// A message, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Facility and severity.
    pub(crate) priority: u8,
    /// `None`: nil.
    pub(crate) timestamp: Option<String>,
    /// `None`: nil.
    pub(crate) hostname: Option<String>,
    /// `None`: nil.
    pub(crate) app_name: Option<String>,
    /// `None`: nil.
    pub(crate) message_id: Option<String>,
    /// Unescaped.
    pub(crate) elements: Vec<Element>,
    /// Without byte order mark.
    pub(crate) text: String,
}

impl Message {
    /// The value of the first parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.elements.iter().flat_map(|(_, parameters)| parameters);
        all.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Message, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut rest = Rest(text);
    rest.expect('<')?;
    let priority = rest.until('>')?;
    let value: u8 = priority.parse().map_err(|_| format!("priority `{priority}`"))?;
    if value > 191 || value.to_string() != priority {
        return Err(format!("priority `{priority}`"));
    }
    if rest.until(' ')? != "1" {
        return Err("version".to_owned());
    }
    let timestamp = rest.field(40)?;
    if let Some(timestamp) = &timestamp {
        check_timestamp(timestamp)?;
    }
    let hostname = rest.field(255)?;
    let app_name = rest.field(48)?;
    rest.field(128)?;
    let message_id = rest.field(32)?;
    let elements = rest.elements()?;
    let text = match rest.0.strip_prefix(' ') {
        Some(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        None if rest.0.is_empty() => String::new(),
        None => return Err(format!("no space before the text: {:?}", rest.0)),
    };
    Ok(Message { priority: value, timestamp, hostname, app_name, message_id, elements, text })
}

struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn expect(&mut self, letter: char) -> Result<(), String> {
        self.0 = self.0.strip_prefix(letter).ok_or_else(|| format!("expected `{letter}` before {:?}", self.start()))?;
        Ok(())
    }

    fn start(&self) -> String {
        self.0.chars().take(20).collect()
    }

    fn until(&mut self, end: char) -> Result<&'a str, String> {
        let (field, rest) = self.0.split_once(end).ok_or_else(|| format!("no `{end}` after {:?}", self.start()))?;
        self.0 = rest;
        Ok(field)
    }

    fn field(&mut self, most: usize) -> Result<Option<String>, String> {
        let field = self.until(' ')?;
        if field.is_empty() || field.len() > most || !field.bytes().all(|byte| (33..=126).contains(&byte)) {
            return Err(format!("header field {field:?}"));
        }
        Ok((field != "-").then(|| field.to_owned()))
    }

    fn elements(&mut self) -> Result<Vec<Element>, String> {
        if let Some(rest) = self.0.strip_prefix('-') {
            self.0 = rest;
            return Ok(Vec::new());
        }
        let mut elements = Vec::new();
        while let Some(rest) = self.0.strip_prefix('[') {
            self.0 = rest;
            let name = self.name()?;
            let mut parameters = Vec::new();
            while let Some(rest) = self.0.strip_prefix(' ') {
                self.0 = rest;
                let key = self.name()?;
                self.expect('=')?;
                self.expect('"')?;
                parameters.push((key, self.value()?));
            }
            self.expect(']')?;
            elements.push((name, parameters));
        }
        if elements.is_empty() { Err("neither structured data nor nil".to_owned()) } else { Ok(elements) }
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.0.find(['=', ' ', ']', '"']).ok_or("a name without end")?;
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        match (1..=32).contains(&name.len()) && name.bytes().all(|byte| (33..=126).contains(&byte)) {
            true => Ok(name.to_owned()),
            false => Err(format!("name {name:?}")),
        }
    }

    /// What is behind the opening quote, to the closing one; `"`, `\` and `]` stand in it behind `\` only.
    fn value(&mut self) -> Result<String, String> {
        let mut value = String::new();
        let mut letters = self.0.char_indices();
        while let Some((position, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.0 = &self.0[position + 1..];
                    return Ok(value);
                }
                ']' => return Err("`]` that is not escaped".to_owned()),
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\' | ']'))) => value.push(escaped),
                    other => return Err(format!("`\\` before {other:?}")),
                },
                _ if letter.is_control() => return Err(format!("control character {letter:?} in a value")),
                _ => value.push(letter),
            }
        }
        Err("a value without end".to_owned())
    }
}

fn check_timestamp(text: &str) -> Result<(), String> {
    let wrong = || format!("timestamp `{text}`");
    let (date, time) = text.split_once('T').ok_or_else(wrong)?;
    let (whole, fraction) = time.strip_suffix('Z').ok_or_else(wrong)?.split_once('.').ok_or_else(wrong)?;
    let shaped = date.len() == 10 && whole.len() == 8 && (1..=6).contains(&fraction.len());
    let number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let read = text.parse::<jiff::Timestamp>().is_ok();
    if shaped && number && read { Ok(()) } else { Err(wrong()) }
}
