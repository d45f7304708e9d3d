//! Scored events to anomalies with threat type, severity and reasons, and those to findings.
