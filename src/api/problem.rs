//! Errors as RFC 9457 problem details. One table says which error of the application is which status.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::{AppError, OutboxError, UnreadCause},
    door::TooMany,
};

/// Seconds after which it is worth asking again, where nothing better is known.
pub(super) const LATER: HeaderValue = HeaderValue::from_static("5");

/// A problem, as <https://www.rfc-editor.org/rfc/rfc9457> has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What kind of problem, as a relative address.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The kind in words.
    pub(super) title: &'static str,
    /// The status.
    pub(super) status: u16,
    /// What was expected this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance: Option<String>,
    /// Places in the request that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<Place>,
}

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Place {
    /// Where in the body, as a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// The parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// What was expected there.
    pub(super) detail: String,
}

impl Place {
    /// A place in the body.
    pub(super) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// The pointer to a member of the body.
    pub(super) fn pointer_to(member: &str) -> String {
        format!("/{}", member.replace('~', "~0").replace('/', "~1"))
    }

    /// A parameter or a header.
    pub(super) fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), detail: detail.into() }
    }
}

impl Problem {
    /// The media type of problems.
    pub(super) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

    /// A problem of this status and kind.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let kind = format!("/problems/{}", title.to_lowercase().replace(' ', "-"));
        Self { kind, title, status: status.as_u16(), detail: Some(detail.into()), instance: None, errors: Vec::new() }
    }

    /// A request that says what can't be, with the places.
    pub(super) fn unprocessable(errors: Vec<Place>) -> Self {
        let detail = errors.iter().map(|place| place.detail.as_str()).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// What nobody expected; the log has it.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the log says more")
    }

    /// What nobody expected, written to the log.
    pub(super) fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::internal()
    }

    /// The status of an error of the application.
    pub(super) fn of(error: &AppError) -> Self {
        let status = match error {
            AppError::NoSuchFinding(_)
            | AppError::NoSuchJob(_)
            | AppError::NoSuchModel(_)
            | AppError::NoSuchSuppression { .. }
            | AppError::NoSuchSink { .. } => StatusCode::NOT_FOUND,
            AppError::Request(_) | AppError::TooMany { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::Argument { pointer, message } => return Self::unprocessable(vec![Place::at(pointer, message)]),
            // Where the configuration is, is nobody's business.
            AppError::NoSinks { .. } => {
                return Self::new(StatusCode::CONFLICT, "no sink is switched on; `watchbell setup` makes one");
            }
            // It is there and can't be used, which another request does not change; the desk names it without its folder.
            AppError::Conflict(_) | AppError::Model(_) => StatusCode::CONFLICT,
            AppError::Unread { cause: UnreadCause::Packing, .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            AppError::Unread { cause: UnreadCause::Content, .. } => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::Unread { cause: UnreadCause::Model, .. } => StatusCode::CONFLICT,
            AppError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            AppError::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            AppError::Outbox(error) => {
                tracing::warn!(error = error as &dyn std::error::Error, "the outbox can't be used");
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, outbox_detail(error));
            }
            AppError::Unkept { .. } => {
                tracing::error!(error = error as &dyn std::error::Error, "findings can't be kept");
                let detail = "findings can't be kept at the moment; the log says why";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
            }
            AppError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            _ => return Self::unexpected(error),
        };
        Self::new(status, error.to_string())
    }

    /// The same for a route that takes these from its path or its query, not from a body.
    pub(super) fn of_parameters(mut self, names: &[&str]) -> Self {
        for place in &mut self.errors {
            let member = place.pointer.as_deref().and_then(|pointer| pointer.strip_prefix('/'));
            if let Some(name) = names.iter().find(|name| member == Some(**name)) {
                (place.pointer, place.parameter) = (None, Some((*name).to_owned()));
            }
        }
        self
    }

    /// As it is sent.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("a problem is JSON")
    }
}

/// The paths of this machine are nobody's business.
fn outbox_detail(error: &OutboxError) -> &'static str {
    match error {
        OutboxError::Full { .. } => "the outbox is full; it takes findings again when some are delivered",
        _ => "the outbox can't be used at the moment; the log says why",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(CONTENT_TYPE, Self::MEDIA_TYPE)], self.text()).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, LATER);
        }
        if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // The rest of the body is not read, so nothing can follow it.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for TooMany {
    fn into_response(self) -> Response {
        let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, self.to_string()).into_response();
        self.tell(response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_application_keeps_paths_to_itself() {
        let path = std::path::PathBuf::from("/somewhere/secret");
        let source = std::io::Error::other("no");
        let problem = Problem::of(&AppError::Read { path: path.clone(), source });
        assert_eq!((problem.status, problem.detail.as_deref()), (500, Some("the log says more")));
        let full = std::io::ErrorKind::StorageFull.into();
        let problem = Problem::of(&AppError::Unkept { path, source: full });
        assert_eq!(problem.status, 503);
        assert!(!problem.text().contains("somewhere"), "{}", problem.text());
        assert_eq!(Problem::of(&AppError::NoSuchJob("a\nb".to_owned())).status, 404);
        let problem = Problem::of(&AppError::NoSinks { file: "/somewhere/watchbell.toml".to_owned() });
        let expected = "no sink is switched on; `watchbell setup` makes one";
        assert_eq!((problem.status, problem.detail.as_deref()), (409, Some(expected)));
    }

    #[test]
    fn a_wrong_argument_is_told_where_the_route_takes_it_from() {
        let error = AppError::Argument { pointer: "/cursor".to_owned(), message: "begin anew".to_owned() };
        let problem = Problem::of(&error);
        assert_eq!((problem.status, &problem.errors[..]), (422, &[Place::at("/cursor", "begin anew")][..]));
        assert_eq!(problem.clone().of_parameters(&["id"]), problem);
        assert_eq!(problem.of_parameters(&["id", "cursor"]).errors, [Place::parameter("cursor", "begin anew")]);
    }
}
