//! The protocol itself: hands shaken, tools listed and called, wrong lines borne, ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Session, TOOLS, WRITING, hello, place};

#[test]
fn what_was_asked_before_the_input_ended_is_answered() {
    let place = place();
    let mut session = Session::silent(&place, &[]);
    session.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() }).to_string());
    session.say(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }).to_string());
    let call = json!({ "name": "analyze_logs", "arguments": { "path": "." } });
    session.say(&json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": call }).to_string());
    let (left, code, _) = session.close();
    let mut ids: Vec<_> = left.iter().filter_map(|message| message["id"].as_u64()).collect();
    ids.sort_unstable();
    assert_eq!((ids, code), (vec![1, 2, 3], 0), "{left:?}");
}

#[test]
fn a_client_that_says_nothing_is_no_error() {
    let place = place();
    let (left, code, error) = Session::silent(&place, &[]).close();
    assert_eq!((left, code, error.as_str()), (Vec::new(), 0, ""));
}

#[test]
fn tools_are_what_they_were() {
    let place = place();
    let mut session = Session::open(&place, &[]);
    let tools = session.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let names: Vec<&str> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, TOOLS);
    for tool in tools.as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name} says nothing about {hint}");
        }
        assert!(tool["description"].as_str().unwrap().len() > 60, "{name}");
        assert!(!tool.to_string().contains("\"uint"), "{name}: some clients don't know formats of unsigned numbers");
        assert_eq!(tool["outputSchema"]["type"], "object", "{name}");
        for (argument, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(schema["description"].is_string(), "{name}: {argument}");
        }
    }
    insta::assert_json_snapshot!("mcp_tools", tools);
    assert_eq!(session.close().1, 0);
}

#[test]
fn read_only_has_no_tool_that_changes_anything() {
    let place = place();
    let mut session = Session::open(&place, &["--read-only"]);
    let tools = session.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let tools = tools.as_array().unwrap();
    assert_eq!(tools.len(), TOOLS.len() - WRITING.len());
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    for name in WRITING.into_iter().chain(["judge_finding"]) {
        assert!(tools.iter().all(|tool| tool["name"] != name));
        let answer = session.call(name, json!({}));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("--read-only"), "{answer}");
    }
    let found = session.get("analyze_logs", json!({ "path": "." }));
    assert!(found["findings_total"].as_u64().unwrap() > 0 && found["kept"] == false, "{found}");
    assert_eq!(session.get("list_findings", json!({}))["total"], 0, "nothing is kept");
}

#[test]
fn judging_is_offered_where_it_is_allowed_only() {
    let place = place();
    let names = |session: &mut Session| {
        let tools = session.ask("tools/list", &json!({}))["result"]["tools"].clone();
        let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
        tools.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let mut usual = Session::open(&place, &[]);
    let refused = usual.call("judge_finding", json!({ "action": "lift", "suppression_id": "x", "reason": "y" }));
    assert!(refused["error"]["message"].as_str().unwrap().contains("--judge"), "{refused}");
    let mut judging = Session::open(&place, &["--judge"]);
    let offered = names(&mut judging);
    assert_eq!(offered.len(), TOOLS.len(), "never more");
    for name in names(&mut usual).iter().filter(|name| *name != "get_finding") {
        assert!(offered.contains(name), "{name}");
    }
    assert!(offered.contains(&"judge_finding".to_owned()));
    let tools = judging.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let judge = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "judge_finding").unwrap();
    insta::assert_json_snapshot!("mcp_judge_finding", judge);
    let prompt = json!({ "name": "tune_false_positive", "arguments": { "id": "abcdef" } });
    let text = |session: &mut Session| session.ask("prompts/get", &prompt)["result"]["messages"][0].to_string();
    assert!(text(&mut judging).contains("judge_finding"));
    let told = text(&mut usual);
    assert!(told.contains("watchbell suppress add --from-finding abcdef") && !told.contains("judge_finding"), "{told}");
    let both = place.run(&["mcp", "--judge", "--read-only"]);
    assert!(both.code == 2 && both.err.contains("--judge"), "{}", both.err);
}

#[test]
fn read_only_leaves_no_trace() {
    let place = place();
    let mut session = Session::open(&place, &["--read-only"]);
    session.get("analyze_logs", json!({ "path": "." }));
    session.get("summarize_findings", json!({}));
    session.close();
    let mut names: Vec<_> =
        std::fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["logs", "watchbell.toml"]);
}

#[test]
fn a_finding_goes_from_the_log_to_a_judgment() {
    let place = place();
    let mut session = Session::open(&place, &["--judge"]);
    let found = session.get("analyze_file", json!({ "path": "auth.json" }));
    assert_eq!(found["total_events"], 380);
    assert!(found["by_threat"]["brute_force"].as_u64().unwrap() >= 1, "{found}");
    let listed = session.get("list_findings", json!({ "threat_types": ["brute_force"], "limit": 1 }));
    let id = listed["findings"][0]["id"].as_str().unwrap().to_owned();
    let explained = session.get("explain_finding", json!({ "id": &id[..8] }));
    assert_eq!(explained["finding"]["untrusted"]["entity"]["value"], "alice", "{explained}");
    assert!(explained["checks"].as_array().unwrap().len() > 1);
    // What is got is part of what is explained, with no less evidence.
    let got = Session::open(&place, &[]).get("get_finding", json!({ "id": id }));
    for (name, value) in got.as_object().unwrap() {
        let same = value == &explained[name];
        assert!(same || ["evidence", "truncated", "hint"].contains(&name.as_str()), "{name}: {value}");
    }
    assert!(got["evidence"].as_array().unwrap().len() >= explained["evidence"].as_array().unwrap().len());
    let dry = json!({ "action": "suppress", "finding_id": id, "reason": "a drill", "expires": "8h" });
    let planned = session.get("judge_finding", dry.clone());
    assert_eq!(planned["made"], false, "a dry run unless told otherwise");
    assert!(planned["suppression"]["id"].is_null() && planned["silences_total"].as_u64() > Some(0), "{planned}");
    let mut wet = dry;
    wet["dry_run"] = json!(false);
    let judged = session.get("judge_finding", wet);
    assert!(judged["made"] == true && judged["silences_total"].as_u64().unwrap() >= 1, "{judged}");
    let summary = session.get("summarize_findings", json!({}));
    assert_eq!(summary["suppressions"][0]["id"], judged["suppression"]["id"]);
    let only = session.get("list_findings", json!({ "suppressed": "only" }));
    assert_eq!(only["findings"][0]["id"], id.as_str());
    let lifted = session.get("judge_finding", json!({ "action": "lift", "finding_id": id, "reason": "over" }));
    assert_eq!(lifted["lifted"], judged["suppression"]["id"]);
    let right = json!({ "action": "feedback", "finding_id": id, "truth": "true_positive" });
    assert_eq!(session.get("judge_finding", right)["feedback_on"], id.as_str());
    let summary = session.get("summarize_findings", json!({ "threat_types": ["brute_force"] }));
    assert_eq!(summary["feedback"][0]["true_positives"], 1, "{summary}");
}

#[test]
fn models_are_trained_listed_and_loaded() {
    let place = place();
    let mut session = Session::open(&place, &[]);
    assert_eq!(session.get("list_models", json!({}))["total"], 0);
    assert_eq!(session.failure("load_model", json!({ "name": "auth" }))["error"], "no_such_model");
    let trained = session.get("train_model", json!({ "path": "auth.json" }));
    let name = trained["models"][0]["untrusted"]["name"].clone();
    let loaded = session.get("load_model", json!({ "name": name }));
    assert_eq!(loaded["model"]["is_default"], true, "{loaded}");
    assert_eq!(session.get("list_models", json!({}))["models"][0]["is_default"], true);
}

#[test]
fn a_wrong_argument_is_told_and_nothing_else_breaks() {
    let place = place();
    let mut session = Session::open(&place, &[]);
    let wrong = [
        ("analyze_logs", json!({}), "`path`"),
        ("analyze_logs", json!({ "path": ".", "logs": ["a"] }), "never both"),
        ("analyze_logs", json!({ "logs": [] }), "empty"),
        ("analyze_file", json!({}), "path"),
        ("list_findings", json!({ "limit": 0 }), "1 to 100"),
        ("list_findings", json!({ "limit": 101 }), "1 to 100"),
        ("list_findings", json!({ "limit": "ten" }), "limit"),
        ("list_findings", json!({ "since": "long ago" }), "`since`"),
        ("list_findings", json!({ "suppressed": "all" }), "`hide`, `show`, `only`"),
        ("list_findings", json!({ "severity": "high" }), "severity"),
        ("list_findings", json!({ "min_severity": "huge" }), "huge"),
        ("explain_finding", json!({ "id": 7 }), "explain_finding"),
        ("get_finding", json!({}), "get_finding"),
        ("forward_findings", json!({}), "`ids`"),
        ("forward_findings", json!({ "filter": {} }), "`filter`"),
        ("no_such_tool", json!({}), "analyze_logs"),
    ];
    for (tool, arguments, expected) in wrong {
        let answer = session.call(tool, arguments.clone());
        assert_eq!(answer["error"]["code"], -32602, "{tool} {arguments}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{tool} {arguments}: {message}");
    }
    let mut judging = Session::open(&place, &["--judge"]);
    for arguments in [
        json!({ "action": "suppress", "finding_id": "abcdef" }),
        json!({ "action": "feedback", "finding_id": "abcdef", "expires": "8h" }),
    ] {
        let answer = judging.call("judge_finding", arguments.clone());
        assert_eq!(answer["error"]["code"], -32602, "{arguments}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("`expires`"), "{arguments}: {answer}");
    }
    let failing = [
        ("analyze_logs", json!({ "path": "nowhere.log" }), "refused"),
        ("analyze_file", json!({ "path": "../watchbell.toml" }), "refused"),
        ("analyze_file", json!({ "path": "/etc/passwd" }), "refused"),
        ("get_finding", json!({ "id": "0123456789" }), "no_such_finding"),
        ("explain_finding", json!({ "id": "0123456789" }), "no_such_finding"),
        ("list_findings", json!({ "cursor": "0123456789" }), "refused"),
        ("test_sink", json!({ "sink": "siem" }), "no_such_sink"),
        ("forward_findings", json!({ "ids": ["0123456789"] }), "no_sinks"),
    ];
    for (tool, arguments, code) in failing {
        let error = session.failure(tool, arguments.clone());
        assert_eq!(error["error"], code, "{tool} {arguments}: {error}");
        assert!(error["fix"].as_str().unwrap().len() > 10 && error["untrusted"]["detail"].is_string(), "{error}");
    }
    assert_eq!(session.get("list_sinks", json!({}))["total"], 0);
}

#[test]
fn lines_that_are_no_messages_are_borne() {
    let place = place();
    let mut session = Session::open(&place, &[]);
    for line in ["", "hello", "{", "[]", "null", "{}", "\u{7f}\u{1}", "{\"jsonrpc\":\"2.0\"}", "[[[[[[[["] {
        session.say(line);
    }
    let unknown = session.ask("no/such/method", &json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    assert!(session.ask("tools/call", &json!({ "name": 7 }))["error"].is_object());
    assert_eq!(session.ask("tools/list", &json!({}))["result"]["tools"].as_array().unwrap().len(), TOOLS.len());
    assert_eq!(session.close().1, 0);
}

#[test]
fn resources_and_prompts_are_there() {
    let place = place();
    let mut session = Session::open(&place, &[]);
    session.get("analyze_logs", json!({ "path": "." }));
    let id = session.get("list_findings", json!({}))["findings"][0]["id"].as_str().unwrap().to_owned();
    let mut read = |uri: &str| session.ask("resources/read", &json!({ "uri": uri }));
    let text = |answer: &Value| answer["result"]["contents"][0]["text"].as_str().unwrap_or_default().to_owned();
    let one = format!("watchbell://finding/{id}");
    for uri in ["watchbell://findings/recent", "watchbell://models", "watchbell://reference/mitre", &one] {
        let answer = read(uri);
        assert!(serde_json::from_str::<Value>(&text(&answer)).is_ok(), "{uri}: {answer}");
    }
    assert!(text(&read("watchbell://config/redacted")).contains("output_dir = \"reports\""));
    assert!(text(&read("watchbell://reference/mitre")).contains("T1110.001"));
    for uri in ["watchbell://finding/", "watchbell://finding/00000000", "file:///etc/passwd", "watchbell://x"] {
        assert!(read(uri)["error"].is_object(), "{uri}");
    }
    let mut prompt =
        |name: &str, arguments: Value| session.ask("prompts/get", &json!({ "name": name, "arguments": arguments }));
    for (name, arguments) in [
        ("triage_finding", json!({ "id": id })),
        ("daily_report", json!({})),
        ("tune_false_positive", json!({ "id": id, "reason": "a drill" })),
    ] {
        let answer = prompt(name, arguments);
        let text = answer["result"]["messages"][0]["content"]["text"].as_str().unwrap_or_default().to_owned();
        assert!(TOOLS.iter().any(|tool| text.contains(tool)), "{name}: {answer}");
    }
    assert!(prompt("triage_finding", json!({}))["error"].is_object());
    assert!(prompt("daily_report", json!({ "sinse": "today" }))["error"].is_object());
}

#[test]
fn secrets_stay_where_they_are() {
    let place =
        super::Place::new("[sinks.chat]\ntype = \"slack\"\nwebhook_url = \"https://hooks.example/SECRETWORD\"\n");
    place.write("logs/a.log", "x\n");
    let mut session = Session::open(&place, &[]);
    let answer = session.ask("resources/read", &json!({ "uri": "watchbell://config/redacted" }));
    assert!(answer.to_string().contains("[redacted]"), "{answer}");
    let sinks = session.get("list_sinks", json!({}));
    assert_eq!(sinks["sinks"][0]["type"], "slack", "{sinks}");
    assert!(!(answer.to_string() + &sinks.to_string()).contains("SECRETWORD"));
}

#[test]
fn the_log_tells_of_calls_and_not_of_their_words() {
    let place = place();
    place.write("watchbell.toml", "[serve]\naudit_log = \"audit.jsonl\"\n");
    let mut session = Session::silent(&place, &["-vvv"]);
    session.ask("initialize", &hello());
    session.call("analyze_logs", json!({ "logs": ["a line with SECRETWORD in it"] }));
    session.call("list_findings", json!({ "entity": "SECRETWORD" }));
    let (_, code, log) = session.close();
    assert_eq!(code, 0);
    assert!(log.contains("analyze_logs") && log.contains("by=\"mcp\"") && log.contains("millis"), "{log}");
    assert!(!log.contains("SECRETWORD"), "{log}");
    let audit = std::fs::read_to_string(place.folder.path().join("audit.jsonl")).unwrap();
    assert!(audit.lines().count() == 2 && audit.contains("\"caller\":\"mcp\"") && !audit.contains("client"), "{audit}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_order() {
    let place = place();
    let session = Session::open(&place, &[]);
    super::terminate(&session.child);
    let mut child = session.child;
    let began = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
}
