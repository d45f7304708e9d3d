//! Findings as CIM alerts for Splunk's HTTP event collector.
