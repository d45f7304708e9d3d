//! Errors as RFC 9457 problem details. One table says which error of the application is which status.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::AppError;

/// A problem, as <https://www.rfc-editor.org/rfc/rfc9457> has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What kind of problem, as a relative address.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The kind in words.
    pub(super) title: String,
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
    /// The parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// What was expected there.
    pub(super) detail: String,
}

impl Problem {
    /// A problem of this status and kind.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let kind = format!("/problems/{}", title.to_lowercase().replace(' ', "-"));
        Self { kind, title, status: status.as_u16(), detail: Some(detail.into()), instance: None, errors: Vec::new() }
    }

    /// What nobody expected; the log has it.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the log says more")
    }

    /// The status of an error of the application.
    pub(super) fn of(error: &AppError) -> Self {
        let status = match error {
            AppError::NoSuchFinding(_)
            | AppError::NoSuchJob(_)
            | AppError::NoSuchModel(_)
            | AppError::NoSuchSink { .. } => StatusCode::NOT_FOUND,
            AppError::Request(_) => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::Conflict(_) | AppError::NoSinks { .. } => StatusCode::CONFLICT,
            AppError::Busy(_) | AppError::Outbox(_) | AppError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            _ => {
                tracing::error!(error = error as &dyn std::error::Error, "a request failed");
                return Self::internal();
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem);
        response
    }
}
