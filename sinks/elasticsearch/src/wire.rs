//! What the servers say, in their own spelling: the bulk API and the root of a node.
//!
//! Elasticsearch: "Bulk index or delete documents", "Get cluster info". OpenSearch answers the same.

use serde::{Deserialize, Serialize};

/// The line before a document: <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>.
#[derive(Debug, Serialize)]
pub(crate) struct Action<'a> {
    pub(crate) create: Create<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Create<'a> {
    #[serde(rename = "_id")]
    pub(crate) id: &'a str,
}

/// The answer to a bulk request. `errors` is not read: the items say it, and each for itself.
#[derive(Debug, Deserialize)]
pub(crate) struct BulkAnswer {
    pub(crate) items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    pub(crate) create: ItemResult,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ItemResult {
    #[serde(rename = "_id")]
    pub(crate) id: Option<String>,
    pub(crate) status: u16,
    pub(crate) error: Option<Cause>,
    /// `used`: the document was not taken by the data stream and waits in its failure store (Elasticsearch 8.19, 9.1).
    pub(crate) failure_store: Option<String>,
}

/// Why something failed, in one item or as a whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Cause {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) caused_by: Option<Box<Cause>>,
}

/// An answer that is an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) error: Cause,
}

/// The answer of `GET /`.
#[derive(Debug, Deserialize)]
pub(crate) struct Root {
    pub(crate) cluster_name: Option<String>,
    pub(crate) version: Version,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    /// `opensearch`; Elasticsearch has no such key.
    pub(crate) distribution: Option<String>,
    pub(crate) number: String,
    /// `default`, `oss`, `serverless`; OpenSearch has no such key.
    pub(crate) build_flavor: Option<String>,
}
