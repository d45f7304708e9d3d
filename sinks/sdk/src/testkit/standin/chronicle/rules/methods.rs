//! The methods of the API on rules: which there are, what they need, what they refuse.
//!
//! A change of a deployment is not atomic: field after field is changed, and one that is refused leaves the earlier ones.

use serde_json::{Value, json};

use super::{Compiled, Rules, State, StoredRule, stored};
use crate::{
    rules::ExecutionError,
    testkit::{
        server::{Answer, Request},
        standin::chronicle::Refusal,
    },
};

/// A call that is about rules.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) version: &'a str,
    /// `projects/../instances/..`.
    pub(crate) parent: &'a str,
    /// What follows it.
    pub(crate) verb: &'a str,
}

impl Call<'_> {
    fn parameter(&self, snake: &str, camel: &str) -> Option<String> {
        let query = self.request.path.split_once('?')?.1;
        let mut found =
            url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| *name == snake || *name == camel);
        found.next().map(|(_, value)| value.into_owned())
    }

    fn permission(&self) -> Option<&'static str> {
        let below = self.verb.strip_prefix("/rules/");
        let is_deployment = below.is_some_and(|below| below.ends_with("/deployment"));
        Some(match (self.request.method.as_str(), self.verb) {
            ("GET", "/rules") => "chronicle.rules.list",
            ("POST", "/rules") => "chronicle.rules.create",
            ("POST", ":verifyRuleText") => "chronicle.rules.verifyRuleText",
            ("GET", "/rules/-/deployments") => "chronicle.ruleDeployments.list",
            ("GET", "/ruleExecutionErrors") => "chronicle.ruleExecutionErrors.list",
            ("GET", _) if is_deployment => "chronicle.ruleDeployments.get",
            ("PATCH", _) if is_deployment => "chronicle.ruleDeployments.update",
            ("GET", _) if below.is_some() => "chronicle.rules.get",
            ("PATCH", _) if below.is_some() => "chronicle.rules.update",
            _ => return None,
        })
    }
}

impl Rules {
    /// Answers a call about rules; `None` when it is about something else, or its version serves no rules.
    pub(crate) fn called(&self, call: &Call<'_>) -> Option<Result<Answer, Refusal>> {
        let permission = call.permission().filter(|_| self.state().versions.contains(&call.version))?;
        let answered = self.permitted(permission, call.parent).and_then(|()| match permission {
            "chronicle.rules.list" => self.list(call),
            "chronicle.rules.create" => self.create(call),
            "chronicle.rules.verifyRuleText" => self.verify(call),
            "chronicle.ruleDeployments.list" => self.list_deployments(call),
            "chronicle.ruleExecutionErrors.list" => self.list_errors(call),
            _ => self.of_one(call, permission),
        });
        Some(answered.map(|body| Answer::json(200, body)))
    }

    fn of_one(&self, call: &Call<'_>, permission: &str) -> Result<Value, Refusal> {
        let id = call.verb.trim_start_matches("/rules/").trim_end_matches("/deployment");
        let found = self.state().of(id).cloned();
        let rule = found.ok_or_else(|| (404, "NOT_FOUND", format!("rule \"{}\" not found", id.escape_debug())))?;
        match permission {
            "chronicle.ruleDeployments.get" => Ok(rule.deployment(call.parent)),
            "chronicle.rules.get" => Ok(rule.json(call.parent, true)),
            "chronicle.rules.update" => self.update(call, &rule),
            _ => self.deploy(call, &rule),
        }
    }

    fn list(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        let full = match call.parameter("view", "view").as_deref() {
            None | Some("BASIC" | "REVISION_METADATA_ONLY" | "RULE_VIEW_UNSPECIFIED") => false,
            Some("FULL") => true,
            Some(other) => return Err(invalid(format!("Invalid value at 'view', \"{}\"", other.escape_debug()))),
        };
        let state = self.state();
        let rules = state.rules.iter().map(|(&number, rule)| (number, move || rule.json(call.parent, full)));
        page(call, "rules", (state.largest_page, 100), rules)
    }

    fn list_deployments(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        let state = self.state();
        let deployments = state.rules.iter().map(|(&number, rule)| (number, move || rule.deployment(call.parent)));
        page(call, "ruleDeployments", (state.largest_page, 100), deployments)
    }

    /// The newest first.
    fn list_errors(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        let state = self.state();
        let mut errors: Vec<_> = state.errors.iter().collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.time));
        let errors =
            (0_u64..).zip(errors).map(|(number, error)| (number, move || execution_error(call, number, error)));
        page(call, "ruleExecutionErrors", (state.largest_page, 1000), errors)
    }

    fn verify(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        let text = text_of(call, "ruleText", "rule_text")?;
        let compiled = (self.0.compiler)(&text);
        let mut verified = json!({ "success": compiled.succeeded() });
        if !compiled.diagnostics.is_empty() {
            verified["compilationDiagnostics"] = stored::diagnostics(&compiled);
        }
        Ok(verified)
    }

    fn create(&self, call: &Call<'_>) -> Result<Value, Refusal> {
        let text = text_of(call, "text", "text")?;
        let compiled = self.compile(&text)?;
        Ok(self.state().make(&text, compiled).json(call.parent, true))
    }

    fn compile(&self, text: &str) -> Result<Compiled, Refusal> {
        let compiled = (self.0.compiler)(text);
        let Some(wrong) = compiled.diagnostics.iter().find(|diagnostic| diagnostic.error) else { return Ok(compiled) };
        let place = wrong.start.map(|(line, column)| format!(" line: {line} column: {column}")).unwrap_or_default();
        Err(invalid(format!("generic::invalid_argument: compiling rule: {}{place}", wrong.message)))
    }

    fn update(&self, call: &Call<'_>, rule: &StoredRule) -> Result<Value, Refusal> {
        if call.parameter("update_mask", "updateMask").as_deref() != Some("text") {
            return Err(invalid("update_mask: only \"text\" can be updated".to_owned()));
        }
        let text = text_of(call, "text", "text")?;
        let body = call.request.json();
        if body.get("etag").is_some_and(|etag| *etag != rule.etag.as_str()) {
            return Err((409, "ABORTED", "The etag provided does not match the current etag of the rule.".to_owned()));
        }
        if rule.archived {
            return Err(unmet("an archived rule cannot be updated"));
        }
        let compiled = self.compile(&text)?;
        let mut state = self.state();
        let now_scarce = compiled.multi_event && !rule.compiled.multi_event;
        if rule.enabled && now_scarce {
            state.within_quota(&rule.id, true)?;
        }
        let plain = rule.frequency.trim_end_matches("_CUSTOMIZABLE");
        if compiled.multi_event && rule.compiled.multi_event && !stored::allowed(&compiled).contains(&plain) {
            return Err(unmet(&format!("the rule's run frequency {plain} is not allowed for the updated text")));
        }
        let revised = state.revise(&rule.id, &text, compiled).map(|rule| rule.json(call.parent, true));
        revised.ok_or_else(|| (404, "NOT_FOUND", "rule not found".to_owned()))
    }

    fn deploy(&self, call: &Call<'_>, rule: &StoredRule) -> Result<Value, Refusal> {
        let mask = call.parameter("update_mask", "updateMask").unwrap_or_default();
        let known = |field: &str| match field {
            "enabled" | "alerting" | "archived" | "run_frequency" => Ok(field.to_owned()),
            "runFrequency" => Ok("run_frequency".to_owned()),
            other => Err(invalid(format!("update_mask: unknown field \"{}\"", other.escape_debug()))),
        };
        let fields = mask.split(',').map(known).collect::<Result<Vec<_>, _>>()?;
        let is_to_change = |field: &str| fields.iter().any(|name| name == field);
        let body = call.request.json();
        let mut state = self.state();
        if is_to_change("archived") {
            if fields.len() > 1 {
                return Err(invalid("archived cannot be updated together with other fields".to_owned()));
            }
            state.archive(&rule.id, body["archived"].as_bool().unwrap_or(false))?;
        } else if rule.archived {
            return Err(unmet("the deployment of an archived rule cannot be updated"));
        }
        for field in state.order.into_iter().filter(|field| is_to_change(field)) {
            state.set(&rule.id, field, &body)?;
        }
        let deployed = state.of(&rule.id).map(|rule| rule.deployment(call.parent));
        deployed.ok_or_else(|| (404, "NOT_FOUND", "rule not found".to_owned()))
    }
}

impl State {
    fn archive(&mut self, id: &str, archived: bool) -> Result<(), Refusal> {
        let Some(rule) = self.of(id) else { return Ok(()) };
        if archived && rule.enabled {
            return Err(unmet("a rule cannot be archived while it is enabled"));
        }
        (rule.archived, rule.alerting) = (archived, rule.alerting && !archived);
        Ok(())
    }

    fn set(&mut self, id: &str, field: &str, body: &Value) -> Result<(), Refusal> {
        let multi_event = self.of(id).is_some_and(|rule| rule.compiled.multi_event);
        let wanted = body[field].as_bool().unwrap_or(false);
        if field == "enabled" && wanted {
            self.within_quota(id, multi_event)?;
        }
        let Some(rule) = self.of(id) else { return Ok(()) };
        match field {
            "enabled" => rule.enabled = wanted,
            "alerting" => rule.alerting = wanted,
            _ => {
                let asked = body.get("runFrequency").or_else(|| body.get("run_frequency")).and_then(Value::as_str);
                let asked = asked.ok_or_else(|| invalid("run_frequency: required".to_owned()))?;
                rule.frequency = stored::coerced(asked, &rule.compiled)?.to_owned();
            }
        }
        Ok(())
    }
}

fn execution_error(call: &Call<'_>, number: u64, error: &ExecutionError) -> Value {
    let mut written = json!({
        "name": format!("{}/ruleExecutionErrors/{number}", call.parent),
        "rule": format!("{}/rules/{}", call.parent, error.rule_id),
        "error": { "code": 3, "message": error.message },
    });
    if let Some(time) = error.time {
        written["timeRange"] = json!({ "endTime": time.to_string() });
    }
    written
}

fn text_of(call: &Call<'_>, camel: &str, snake: &str) -> Result<String, Refusal> {
    let body = call.request.json();
    let text = body.get(camel).or_else(|| body.get(snake)).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| invalid(format!("{snake}: required")))
}

fn invalid(message: String) -> Refusal {
    (400, "INVALID_ARGUMENT", message)
}

fn unmet(message: &str) -> Refusal {
    (400, "FAILED_PRECONDITION", message.to_owned())
}

/// One page: what follows the token, as many as are asked for; `sizes` are the largest page and the usual one. A token says
/// which listing it continues, and after what.
fn page<W: FnOnce() -> Value>(
    call: &Call<'_>,
    name: &str,
    (largest, usual): (usize, usize),
    items: impl Iterator<Item = (u64, W)>,
) -> Result<Value, Refusal> {
    let size = match call.parameter("page_size", "pageSize") {
        None => usual,
        Some(size) => size.parse().map_err(|_| invalid("Invalid value at 'page_size'".to_owned()))?,
    };
    let size = if size == 0 { usual } else { size }.min(largest);
    let after = match call.parameter("page_token", "pageToken").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => {
            let number = token.strip_prefix(name).and_then(|rest| rest.strip_prefix('~')?.parse::<u64>().ok());
            Some(number.ok_or_else(|| invalid("Invalid value at 'page_token'".to_owned()))?)
        }
    };
    let mut rest = items.filter(|item| after.is_none_or(|after| item.0 > after));
    let mut last = 0;
    let listed: Vec<Value> = rest.by_ref().take(size).inspect(|item| last = item.0).map(|(_, write)| write()).collect();
    let mut page = json!({});
    if !listed.is_empty() {
        page[name] = listed.into();
    }
    if rest.next().is_some() {
        page["nextPageToken"] = format!("{name}~{last}").into();
    }
    Ok(page)
}
