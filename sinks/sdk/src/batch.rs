//! What one `deliver` carries, and the receipt for it.
//!
//! Only a [`Batch`] makes a [`Receipt`], one verdict per delivery, so that the two can't slip against each other.

use crate::{error::SinkError, sink::Payload};

/// One finding on its way to one sink.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Finding id and sink name, `{id}-{sink}`: the same on every attempt, so that the destination can tell a repetition. A
    /// finding that became more severe after it was given out goes as `{id}~{severity}-{sink}`.
    pub key: String,
    /// What goes over the wire.
    pub payload: Payload,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// Deliveries that go out together. Never empty.
#[derive(Debug)]
pub struct Batch(Vec<Delivery>);

impl Batch {
    /// `None` when there is nothing to deliver.
    #[must_use]
    pub fn new(deliveries: Vec<Delivery>) -> Option<Self> {
        (!deliveries.is_empty()).then_some(Self(deliveries))
    }

    /// The deliveries, in the order of their verdicts.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery] {
        &self.0
    }

    /// Sum of the payloads' sizes in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|delivery| delivery.payload.bytes().len()).sum()
    }

    /// Every delivery arrived.
    #[must_use]
    pub fn accepted(&self) -> Receipt {
        self.each(|_, _| Verdict::Delivered)
    }

    /// One verdict per delivery, by its position.
    pub fn each(&self, mut verdict: impl FnMut(usize, &Delivery) -> Verdict) -> Receipt {
        Receipt(self.0.iter().enumerate().map(|(position, delivery)| verdict(position, delivery)).collect())
    }

    /// For protocols that settle one delivery after another, where an `await` stands between them.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts<'_> {
        Verdicts { batch: self, settled: Vec::with_capacity(self.0.len()) }
    }
}

/// A receipt in the making; see [`Batch::verdicts`].
#[derive(Debug)]
pub struct Verdicts<'a> {
    batch: &'a Batch,
    settled: Vec<Verdict>,
}

impl<'a> Verdicts<'a> {
    /// The next delivery that has no verdict yet.
    #[must_use]
    pub fn next(&self) -> Option<&'a Delivery> {
        self.batch.0.get(self.settled.len())
    }

    /// Settles the delivery that [`Verdicts::next`] shows; without one it does nothing.
    pub fn settle(&mut self, verdict: Verdict) {
        if self.settled.len() < self.batch.0.len() {
            self.settled.push(verdict);
        }
    }

    /// Closes the receipt. Deliveries without a verdict get `rest`, usually the error that ended the loop.
    #[must_use]
    pub fn finish(mut self, rest: &SinkError) -> Receipt {
        self.settled.resize_with(self.batch.0.len(), || Verdict::Failed(rest.clone()));
        Receipt(self.settled)
    }
}

/// What became of one delivery.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It was taken and waits for an acknowledgement under this reference.
    Accepted {
        /// What the sink needs to ask for the acknowledgement later, for example HEC channel and ackId.
        ack_ref: String,
    },
    /// It did not arrive.
    Failed(SinkError),
    /// Nothing was decided about it, because another one of the batch was at fault. It goes out again at once, and the
    /// attempt does not count.
    Undecided,
}

/// What became of a delivery that was [accepted](Verdict::Accepted).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is where it should be.
    Confirmed,
    /// Not yet.
    Pending,
    /// The destination does not know (any more): it goes out again.
    Unknown,
}

/// One verdict per delivery of the batch that made it.
#[derive(Debug)]
pub struct Receipt(Vec<Verdict>);

impl Receipt {
    /// The verdicts, in the order of the batch.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn batch(count: usize) -> Batch {
        let delivery =
            |n| Delivery { key: format!("finding-{n}.soc"), payload: Payload::text(vec![b'x'; n]), attempt: 1 };
        Batch::new((0..count).map(delivery).collect()).unwrap()
    }

    #[test]
    fn an_empty_batch_does_not_exist() {
        assert!(Batch::new(Vec::new()).is_none());
    }

    #[test]
    fn a_receipt_has_as_many_verdicts_as_its_batch() {
        let batch = batch(3);
        assert_eq!(batch.bytes(), 3);
        assert_eq!(batch.accepted().verdicts().len(), 3);
        let receipt = batch.each(|position, _| match position {
            1 => Verdict::Failed(SinkError::new(ErrorKind::Rejected, "no such field")),
            _ => Verdict::Delivered,
        });
        assert!(matches!(receipt.verdicts(), [Verdict::Delivered, Verdict::Failed(_), Verdict::Delivered]));
    }

    #[test]
    fn what_was_not_settled_gets_the_closing_error() {
        let batch = batch(3);
        let mut verdicts = batch.verdicts();
        assert_eq!(verdicts.next().map(|delivery| delivery.key.as_str()), Some("finding-0.soc"));
        verdicts.settle(Verdict::Delivered);
        let receipt = verdicts.finish(&SinkError::new(ErrorKind::Unavailable, "connection reset"));
        assert!(matches!(receipt.verdicts(), [Verdict::Delivered, Verdict::Failed(_), Verdict::Failed(_)]));
    }
}
