//! Indexer acknowledgement: the collector numbers each request it took, per channel, and tells once which it indexed.
//!
//! Only the indexer that took a request knows its number: we ask the same address, with its cookies. Whatever does not
//! clearly say `true` is not confirmed, nor is anything on a channel where numbers came twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use watchbell_sink::{
    Acknowledgement, ErrorKind, SinkError,
    http::{Method, RequestBuilder},
};

use crate::{
    code::{Meaning, fix, meaning},
    endpoint::{Endpoint, Request},
    sink::SplunkHec,
    wire::{ACK, AckAnswer, AckQuestion, Answer},
};

/// Where a delivery is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) number: u64,
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}|{}", self.endpoint, self.channel, self.number)
    }
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // From the right: an address may hold the separator.
        let mut parts = text.rsplitn(3, '|');
        let (number, channel, endpoint) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { endpoint, channel, number: number.parse().ok()? })
    }
}

impl SplunkHec {
    /// What became of these.
    pub(crate) async fn ask_for(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        let parsed: Vec<Option<Reference<'_>>> = references.iter().map(|text| Reference::parse(text)).collect();
        let mut open: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
        for reference in parsed.iter().flatten() {
            open.entry((reference.endpoint, reference.channel)).or_default().insert(reference.number);
        }
        let mut indexed: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
        let mut failure = None;
        for ((address, channel), numbers) in open {
            // An address that is not configured any more is not asked: it would get the token.
            let Some(endpoint) = self.believed(address, channel) else { continue };
            match self.ask(endpoint, channel, numbers).await {
                Ok(found) => drop(indexed.insert((address, channel), found)),
                Err(error) => failure = Some(error),
            }
        }
        // What one address answered stands, also when another fails: a `true` is told only once.
        match failure {
            Some(error) if indexed.is_empty() => Err(error),
            _ => Ok(parsed.into_iter().map(|reference| self.found(reference, &indexed)).collect()),
        }
    }

    fn found(
        &self,
        reference: Option<Reference<'_>>,
        indexed: &BTreeMap<(&str, &str), BTreeSet<u64>>,
    ) -> Acknowledgement {
        let Some(Reference { endpoint, channel, number }) = reference else { return Acknowledgement::Unknown };
        match indexed.get(&(endpoint, channel)) {
            Some(numbers) if numbers.contains(&number) => Acknowledgement::Confirmed,
            _ if self.believed(endpoint, channel).is_some() => Acknowledgement::Pending,
            _ => Acknowledgement::Unknown,
        }
    }

    /// The endpoint, unless it is not configured any more or counted anew on this channel.
    fn believed(&self, address: &str, channel: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name() == address && !endpoint.is_renounced(channel))
    }

    /// Which of these numbers were indexed.
    pub(crate) async fn ask(
        &self,
        endpoint: &Endpoint,
        channel: &str,
        numbers: BTreeSet<u64>,
    ) -> Result<BTreeSet<u64>, SinkError> {
        let question = AckQuestion { acks: numbers.iter().copied().collect() };
        let fill = |request: RequestBuilder| request.json(&question);
        let request = Request { method: Method::POST, path: ACK, channel, fill: &fill };
        let reply = endpoint.send(&self.access, request).await?;
        if reply.is_success() {
            let answer: AckAnswer = reply.json()?;
            return Ok(numbers
                .into_iter()
                .filter(|number| answer.acks.get(&number.to_string()) == Some(&true))
                .collect());
        }
        let code = reply.json::<Answer>().ok().and_then(|answer| answer.code);
        match code.and_then(|code| Some((code, meaning(code)?))) {
            Some((code, Meaning::Failed(kind))) => {
                let mut error = reply.error_of(kind);
                error.message.push_str("; ");
                error.message.push_str(fix(code));
                Err(error)
            }
            // A question is no finding: nothing about it can be rejected for good.
            _ if reply.status == 400 => Err(reply.error_of(ErrorKind::Config)),
            _ => Err(reply.error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_back() {
        let reference = Reference { endpoint: "https://a.example:8088/x|y", channel: "c", number: u64::MAX };
        assert_eq!(Reference::parse(&reference.to_string()), Some(reference));
        for wrong in ["", "a|b", "a|b|c", "a|b|-1"] {
            assert_eq!(Reference::parse(wrong), None, "{wrong}");
        }
    }
}
