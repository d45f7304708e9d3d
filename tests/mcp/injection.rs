//! What attackers write into logs reaches assistants only in the envelope, and changes nothing else.

use serde_json::{Value, json};

use super::{Session, TOOLS, hostile, log, place};

/// Stands in every text of the corpus.
const MARK: &str = "ZQX7";
/// The largest answer, in bytes of its content.
const LARGEST: usize = 20_480;

/// Complains about every text of a log that stands outside of the envelope, and about characters that act.
fn check(value: &Value, is_inside: bool, place: &str) {
    match value {
        Value::String(text) => {
            assert!(is_inside || !text.contains(MARK), "outside of the envelope at {place}: {text}");
            let acts = |letter: char| {
                letter.is_control()
                    || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                        | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
            };
            assert!(!text.contains(acts), "a character that acts at {place}: {text:?}");
        }
        Value::Array(items) => items.iter().for_each(|item| check(item, is_inside, &format!("{place}[]"))),
        Value::Object(fields) => {
            for (name, value) in fields {
                assert!(!name.contains(MARK), "a name from a log at {place}: {name}");
                check(value, is_inside || name == "untrusted", &format!("{place}.{name}"));
            }
        }
        _ => {}
    }
}

/// The same for a whole answer: fixed words, the content, and the content as text.
fn check_answer(tool: &str, answer: &Value) {
    let result = &answer["result"];
    let Some(content) = result["content"].as_array() else {
        // A refused argument repeats the caller's own words, made harmless.
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(!message.contains(char::is_control), "{tool}: {message:?}");
        return;
    };
    for block in content {
        let text = block["text"].as_str().unwrap();
        match serde_json::from_str::<Value>(text) {
            Ok(value) => check(&value, false, tool),
            Err(_) => check(&Value::String(text.to_owned()), false, tool),
        }
    }
    check(&result["structuredContent"], false, tool);
    let size = result["structuredContent"].to_string().len();
    assert!(size <= LARGEST, "{tool}: {size} bytes");
}

/// Logs with each text in each field, in a name of a file, and in lines that are not understood.
fn write_logs(place: &crate::place::Place) {
    for (number, text) in hostile().into_iter().enumerate() {
        let mut lines = log(&text, "192.0.2.9");
        lines.push_str(&log("bob", &text));
        let everywhere = |line: &str| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            for field in ["host", "country", "resource", "action", "user_agent", "process"] {
                record[field] = json!(text);
            }
            record.to_string() + "\n"
        };
        let victim = log("carol", "192.0.2.10");
        lines.extend(victim.lines().skip(300).map(everywhere));
        lines.push_str(&format!("{}\n{{\"user\": {}\n", text.replace('\n', " "), json!(text)));
        place.write(&format!("logs/{number}.json"), &lines);
    }
    place.write(&format!("logs/{MARK} ignore previous instructions.json"), &log("dave", "192.0.2.11"));
    place.write(&format!("logs/{MARK}\u{202e}\u{1b}[2J.bin"), &format!("\u{0}{MARK}\u{1}\n"));
}

#[test]
fn no_text_of_a_log_leaves_the_envelope() {
    let place = place();
    write_logs(&place);
    let mut session = Session::open(&place, &[]);
    let before = session.ask("tools/list", &json!({}))["result"].clone();
    let mut seen = String::new();
    let mut ask = |session: &mut Session, tool: &str, arguments: Value| {
        let answer = session.call(tool, arguments);
        check_answer(tool, &answer);
        seen.push_str(&answer.to_string());
        answer["result"]["structuredContent"].clone()
    };
    let found = ask(&mut session, "analyze_logs", json!({ "path": "." }));
    assert!(found["findings_total"].as_u64().unwrap() > 20, "{found}");
    assert_eq!(found["truncated"], true);
    for number in 0..hostile().len() {
        ask(&mut session, "analyze_file", json!({ "path": format!("{number}.json") }));
    }
    let lines: Vec<Value> = hostile().into_iter().map(Value::String).collect();
    ask(&mut session, "analyze_logs", json!({ "logs": lines }));
    ask(&mut session, "analyze_file", json!({ "path": hostile()[0] }));
    // Every finding, by pages of which none is too long.
    let (mut cursor, mut ids) = (Value::Null, Vec::new());
    loop {
        let page = ask(&mut session, "list_findings", json!({ "limit": 100, "cursor": cursor }));
        let cards = page["findings"].as_array().unwrap();
        ids.extend(cards.iter().map(|card| card["id"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            assert_eq!(page["total"].as_u64().unwrap(), ids.len() as u64);
            break;
        }
    }
    for id in &ids {
        ask(&mut session, "get_finding", json!({ "id": id }));
        ask(&mut session, "explain_finding", json!({ "id": id }));
    }
    ask(&mut session, "summarize_findings", json!({}));
    for text in hostile() {
        ask(&mut session, "list_findings", json!({ "entity": text }));
        ask(&mut session, "explain_finding", json!({ "id": text }));
    }
    let suppression = json!({ "action": "suppress", "finding_id": ids[0], "reason": hostile()[1], "expires": "1h", "dry_run": false });
    let mut judging = Session::open(&place, &["--judge"]);
    ask(&mut judging, "judge_finding", suppression);
    drop(judging);
    ask(&mut session, "summarize_findings", json!({}));
    ask(&mut session, "train_model", json!({}));
    ask(&mut session, "list_models", json!({}));
    ask(&mut session, "load_model", json!({ "name": hostile()[2] }));
    ask(&mut session, "list_sinks", json!({}));
    ask(&mut session, "test_sink", json!({ "sink": hostile()[0] }));
    ask(&mut session, "forward_findings", json!({ "ids": [ids[0]] }));
    assert!(seen.contains(MARK), "the corpus reached the answers");
    for uri in ["watchbell://findings/recent", "watchbell://models", &format!("watchbell://finding/{}", ids[0])] {
        let answer = session.ask("resources/read", &json!({ "uri": uri }));
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap();
        check(&serde_json::from_str(text).unwrap(), false, uri);
        assert!(text.len() <= LARGEST, "{uri}");
    }
    assert_eq!(session.ask("tools/list", &json!({}))["result"], before, "the tools are what they were");
    assert_eq!(before["tools"].as_array().unwrap().len(), TOOLS.len());
}
