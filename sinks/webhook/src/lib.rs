//! Findings for any HTTP service, signed as Standard Webhooks.
