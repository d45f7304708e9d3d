//! Findings as ECS documents for Elasticsearch and OpenSearch.
