//! What Block Kit refuses: sizes by Slack's reference of blocks, and the sum over a message that nobody publishes.

use serde_json::Value;

type Refusal = (&'static str, Vec<String>);

const MOST_BLOCKS: usize = 50;
const LONGEST_HEADER: usize = 150;
const LONGEST_SECTION: usize = 3000;
const MOST_FIELDS: usize = 10;
const LONGEST_FIELD: usize = 2000;
const MOST_ELEMENTS: usize = 10;
const LONGEST_BLOCK_ID: usize = 255;
const LONGEST_URL: usize = 3000;
const LONGEST_BUTTON: usize = 75;
const MOST_ATTACHMENTS: usize = 100;
/// Over all blocks; seen in practice between 9,600 and 13,200 characters.
const LONGEST_MESSAGE: usize = 13_200;

/// Checks a message's blocks, and those of its attachments.
///
/// # Errors
/// Slack's word for it, and what it says besides.
pub(super) fn check(message: &Value) -> Result<(), Refusal> {
    let attachments = message["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    if attachments.len() > MOST_ATTACHMENTS {
        return Err(("too_many_attachments", Vec::new()));
    }
    let mut said = Vec::new();
    let mut length = 0;
    let within = attachments.iter().enumerate().map(|(n, attachment)| (format!("/attachments/{n}"), attachment));
    for (place, holder) in std::iter::once((String::new(), message)).chain(within) {
        let Some(blocks) = holder.get("blocks") else { continue };
        let Some(blocks) = blocks.as_array() else { return Err(("invalid_blocks_format", Vec::new())) };
        if blocks.len() > MOST_BLOCKS {
            said.push(format!("[ERROR] no more than {MOST_BLOCKS} items allowed [json-pointer:{place}/blocks]"));
        }
        for (n, block) in blocks.iter().enumerate() {
            check_block(block, &format!("{place}/blocks/{n}"), &mut said);
            length += length_of(block);
        }
    }
    match said.is_empty() {
        false if message.get("blocks").is_none() => Err(("invalid_attachments", said)),
        false => Err(("invalid_blocks", said)),
        true if length > LONGEST_MESSAGE => Err(("msg_blocks_too_long", Vec::new())),
        true => Ok(()),
    }
}

fn check_block(block: &Value, place: &str, said: &mut Vec<String>) {
    let mut say = |what: String, below: &str| said.push(format!("[ERROR] {what} [json-pointer:{place}{below}]"));
    if length(&block["block_id"]) > LONGEST_BLOCK_ID {
        say(format!("must be less than {} characters", LONGEST_BLOCK_ID + 1), "/block_id");
    }
    let mut text = |text: &Value, longest: usize, kinds: &[&str], below: &str| match length(&text["text"]) {
        _ if !text["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) => {
            say(format!("unsupported type: {}", text["type"]), &format!("{below}/type"));
        }
        0 => say("must be more than 0 characters".to_owned(), &format!("{below}/text")),
        found if found > longest => {
            say(format!("must be less than {} characters", longest + 1), &format!("{below}/text"))
        }
        _ => {}
    };
    const ANY: [&str; 2] = ["mrkdwn", "plain_text"];
    let list = |key: &str| block[key].as_array().map(Vec::as_slice).unwrap_or_default();
    match block["type"].as_str() {
        Some("header") => text(&block["text"], LONGEST_HEADER, &["plain_text"], "/text"),
        Some("section") => {
            let fields = list("fields");
            if block.get("text").is_some() {
                text(&block["text"], LONGEST_SECTION, &ANY, "/text");
            } else if fields.is_empty() {
                say("missing required field: text".to_owned(), "");
                return;
            }
            for (n, field) in fields.iter().enumerate() {
                text(field, LONGEST_FIELD, &ANY, &format!("/fields/{n}"));
            }
            if fields.len() > MOST_FIELDS {
                say(format!("no more than {MOST_FIELDS} items allowed"), "/fields");
            }
        }
        Some("context") => {
            let elements = list("elements");
            for (n, element) in elements.iter().enumerate().filter(|(_, element)| element["type"] != "image") {
                text(element, LONGEST_SECTION, &ANY, &format!("/elements/{n}"));
            }
            if elements.is_empty() || elements.len() > MOST_ELEMENTS {
                say(format!("1 to {MOST_ELEMENTS} items allowed"), "/elements");
            }
        }
        Some("actions") => {
            for (n, button) in list("elements").iter().enumerate() {
                text(&button["text"], LONGEST_BUTTON, &["plain_text"], &format!("/elements/{n}/text"));
            }
            if list("elements").iter().any(|button| length(&button["url"]) > LONGEST_URL) {
                say(format!("must be less than {} characters", LONGEST_URL + 1), "/elements");
            }
        }
        Some("divider" | "rich_text" | "image" | "markdown" | "table") => {}
        Some(kind) => say(format!("unsupported block type: {kind}"), "/type"),
        None => say("missing required field: type".to_owned(), ""),
    }
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}

/// All text of a block, wherever it stands.
fn length_of(block: &Value) -> usize {
    match block {
        Value::Object(object) => {
            let own = object.get("text").map_or(0, length);
            own + object.values().map(length_of).sum::<usize>()
        }
        Value::Array(values) => values.iter().map(length_of).sum(),
        _ => 0,
    }
}
