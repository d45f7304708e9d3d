//! Findings as syslog messages, with CEF, LEEF and structured data.
