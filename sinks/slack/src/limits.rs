//! What Slack takes, checked before it is sent: an oversized part makes Slack refuse the whole message.
//!
//! The check reads the JSON and shares no code with the layout. Documented limits are those of docs.slack.dev,
//! reference/block-kit; the sum over all blocks is not documented, and 9,000 is what has always passed.

use serde_json::Value;

use crate::text::length;

/// Blocks of a message, those of attachments included.
const BLOCKS: usize = 50;
/// Blocks of one attachment; more have been refused as `invalid_attachments`.
const BLOCKS_OF_ATTACHMENT: usize = 20;
const HEADER: usize = 150;
const SECTION: usize = 3000;
const FIELDS: usize = 10;
const FIELD: usize = 2000;
const CONTEXT_ELEMENTS: usize = 10;
const CONTEXT_ELEMENT: usize = 3000;
/// Slack cuts at 40,000 and asks for no more than this.
const FALLBACK: usize = 4000;
const ATTACHMENTS: usize = 100;

/// Everything about this message that Slack would refuse or cut, with its place as JSON pointer. `budget`: the longest
/// JSON of all blocks together.
#[must_use]
pub fn violations(message: &Value, budget: usize) -> Vec<String> {
    let mut found = Found::default();
    found.text(&message["text"], "/text", FALLBACK);
    let attachments = message["attachments"].as_array().map_or(&[][..], Vec::as_slice);
    found.at_most(attachments.len(), ATTACHMENTS, "/attachments", "attachments");
    let mut all: Vec<(String, &Value)> = placed(&message["blocks"], "/blocks");
    for (position, attachment) in attachments.iter().enumerate() {
        let own = placed(&attachment["blocks"], &format!("/attachments/{position}/blocks"));
        found.at_most(own.len(), BLOCKS_OF_ATTACHMENT, &format!("/attachments/{position}"), "blocks");
        all.extend(own);
    }
    found.at_most(all.len(), BLOCKS, "", "blocks");
    found.at_most(all.iter().map(|(_, block)| length(&block.to_string())).sum(), budget, "", "characters of blocks");
    all.iter().for_each(|(place, block)| found.block(block, place));
    found.0
}

fn placed<'a>(blocks: &'a Value, place: &str) -> Vec<(String, &'a Value)> {
    let blocks = blocks.as_array().map_or(&[][..], Vec::as_slice);
    blocks.iter().enumerate().map(|(position, block)| (format!("{place}/{position}"), block)).collect()
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn at_most(&mut self, count: usize, most: usize, place: &str, what: &str) {
        if count > most {
            self.0.push(format!("{place}: {count} {what}, at most {most} are taken"));
        }
    }

    fn text(&mut self, text: &Value, place: &str, most: usize) {
        match text.as_str() {
            None | Some("") => self.0.push(format!("{place}: expected a text that is not empty")),
            Some(text) => self.at_most(length(text), most, place, "characters"),
        }
    }

    fn object(&mut self, object: &Value, place: &str, most: usize) {
        match object["type"].as_str() {
            Some("plain_text" | "mrkdwn") => self.text(&object["text"], &format!("{place}/text"), most),
            other => self.0.push(format!("{place}: expected a text object, found {other:?}")),
        }
    }

    fn block(&mut self, block: &Value, place: &str) {
        match block["type"].as_str() {
            Some("header") => {
                if block["text"]["type"] != "plain_text" {
                    self.0.push(format!("{place}: expected plain_text in a header"));
                }
                self.object(&block["text"], &format!("{place}/text"), HEADER);
            }
            Some("section") => self.section(block, place),
            Some("context") => {
                let elements = placed(&block["elements"], &format!("{place}/elements"));
                if elements.is_empty() {
                    self.0.push(format!("{place}: expected elements"));
                }
                self.at_most(elements.len(), CONTEXT_ELEMENTS, place, "elements");
                elements.iter().for_each(|(place, element)| self.object(element, place, CONTEXT_ELEMENT));
            }
            Some("divider") => {}
            other => self.0.push(format!("{place}: no block of type {other:?} is sent")),
        }
    }

    fn section(&mut self, block: &Value, place: &str) {
        let fields = placed(&block["fields"], &format!("{place}/fields"));
        if block.get("text").is_none() && fields.is_empty() {
            self.0.push(format!("{place}: expected a text or fields"));
        }
        if block.get("text").is_some() {
            self.object(&block["text"], &format!("{place}/text"), SECTION);
        }
        self.at_most(fields.len(), FIELDS, place, "fields");
        fields.iter().for_each(|(place, field)| self.object(field, place, FIELD));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_limit_is_seen() {
        let plain = |length: usize| json!({"type": "plain_text", "text": "x".repeat(length)});
        let header = |length| json!({"type": "header", "text": plain(length)});
        let section = |length| json!({"type": "section", "text": plain(length)});
        let message = |blocks: Vec<Value>| json!({"text": "t", "blocks": blocks});
        let good = [message(vec![header(150), section(3000)]), message(vec![header(1); 50])];
        for message in good {
            assert_eq!(violations(&message, 9000), Vec::<String>::new());
        }
        for (wrong, expected) in [
            (message(vec![header(151)]), "/blocks/0/text/text: 151 characters"),
            (message(vec![section(3001)]), "/blocks/0/text/text: 3001"),
            (message(vec![section(0)]), "not empty"),
            (message(vec![header(1); 51]), "51 blocks"),
            (message(vec![section(2990); 4]), "characters of blocks"),
            (message(vec![json!({"type": "section"})]), "expected a text or fields"),
            (message(vec![json!({"type": "section", "fields": vec![plain(1); 11]})]), "11 fields"),
            (message(vec![json!({"type": "section", "fields": [plain(2001)]})]), "2001 characters"),
            (message(vec![json!({"type": "context", "elements": vec![plain(1); 11]})]), "11 elements"),
            (message(vec![json!({"type": "context", "elements": []})]), "expected elements"),
            (
                message(vec![json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}})]),
                "plain_text in a header",
            ),
            (json!({"blocks": []}), "/text: expected a text"),
            (json!({"text": "t", "attachments": [{"blocks": vec![header(1); 21]}]}), "21 blocks"),
        ] {
            let found = violations(&wrong, 9000);
            assert!(found.iter().any(|violation| violation.contains(expected)), "{expected}: {found:?}");
        }
    }
}
