//! Findings as Slack messages.
