//! The rows of a log between the passes: compact, and on disk past a limit.
//!
//! 48 bytes an event. What exceeds the limit goes to an unnamed temporary file, block by block, so that memory stays flat
//! for logs of any length; the file is gone with the process, however that ends.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use bytemuck::{Pod, Zeroable};
use watchbell_sink::ThreatType;

use crate::{
    classify::Candidate,
    features::{FEATURES, Row},
    parse::{ActionClass, Outcome},
    score::bits::BLOCK_ROWS,
};

/// Rows in a block: what one thread scores at a time.
pub(super) const ROWS_PER_BLOCK: usize = 16 * BLOCK_ROWS;

/// Blocks that are kept in memory: 2 million rows, 96 MB.
const MEMORY_BLOCKS: usize = 256;

/// A stored strength's unit.
const STRENGTH_STEP: f32 = 1.0 / 16.0;

/// What is kept of an event beside its features.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Facts {
    actor: u32,
    address: u32,
    time: u32,
    group: u32,
    class: u8,
    /// Outcome in the low two bits, `stranger` in the third.
    flags: u8,
    threat: u8,
    strength: u8,
}

/// A run of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct RowBlock {
    features: Vec<u8>,
    facts: Vec<Facts>,
}

impl RowBlock {
    pub(super) fn len(&self) -> usize {
        self.facts.len()
    }

    /// The rows' features, one row after the other.
    pub(super) fn features(&self) -> &[u8] {
        &self.features
    }

    /// What is needed to judge a row.
    pub(super) fn candidate(&self, at: usize) -> Candidate {
        let facts = self.facts[at];
        Candidate {
            actor: facts.actor,
            address: facts.address,
            time: facts.time,
            group: facts.group,
            class: ActionClass::from_code(facts.class),
            outcome: Outcome::from_code(facts.flags & 3),
            stranger: facts.flags & 4 != 0,
            threat: ThreatType::ALL[usize::from(facts.threat) % ThreatType::ALL.len()],
            strength: f32::from(facts.strength) * STRENGTH_STEP,
        }
    }

    fn push(&mut self, row: &Row, candidate: &Candidate) {
        self.features.extend_from_slice(row);
        self.facts.push(Facts {
            actor: candidate.actor,
            address: candidate.address,
            time: candidate.time,
            group: candidate.group,
            class: candidate.class as u8,
            flags: candidate.outcome as u8 | u8::from(candidate.stranger) << 2,
            threat: candidate.threat as u8,
            strength: (candidate.strength / STRENGTH_STEP).round().clamp(0.0, 255.0) as u8,
        });
    }
}

/// All rows of a log, in order.
#[derive(Debug, Default)]
pub(super) struct RowStore {
    blocks: Vec<RowBlock>,
    spilled: Option<File>,
    spilled_blocks: usize,
    last: RowBlock,
    len: u64,
}

impl RowStore {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the temporary file can't be written: the disk is full.
    pub(super) fn push(&mut self, row: &Row, candidate: &Candidate) -> io::Result<()> {
        if self.last.facts.capacity() == 0 {
            self.last.features.reserve_exact(ROWS_PER_BLOCK * FEATURES);
            self.last.facts.reserve_exact(ROWS_PER_BLOCK);
        }
        self.last.push(row, candidate);
        self.len += 1;
        if self.last.len() < ROWS_PER_BLOCK {
            return Ok(());
        }
        if self.blocks.len() < MEMORY_BLOCKS {
            self.blocks.push(std::mem::take(&mut self.last));
            return Ok(());
        }
        if self.spilled.is_none() {
            self.spilled = Some(tempfile::tempfile()?);
        }
        if let Some(file) = &mut self.spilled {
            file.write_all(&self.last.features)?;
            file.write_all(bytemuck::cast_slice(&self.last.facts))?;
        }
        self.spilled_blocks += 1;
        self.last.features.clear();
        self.last.facts.clear();
        Ok(())
    }

    /// Gives the blocks in order, in groups of at most `size`, each with the number of its first row.
    ///
    /// # Errors
    /// When the temporary file can't be read, and what `each` returns.
    pub(super) fn for_each_group(
        &mut self,
        size: usize,
        mut each: impl FnMut(&[(u64, &RowBlock)]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut first = 0;
        for blocks in self.blocks.chunks(size.max(1)) {
            each(&numbered(blocks, &mut first))?;
        }
        if let Some(file) = &mut self.spilled {
            file.seek(SeekFrom::Start(0))?;
            let mut left = self.spilled_blocks;
            while left > 0 {
                let count = left.min(size.max(1));
                let blocks = (0..count).map(|_| read_block(file)).collect::<io::Result<Vec<_>>>()?;
                each(&numbered(&blocks, &mut first))?;
                left -= count;
            }
            file.seek(SeekFrom::End(0))?;
        }
        each(&[(first, &self.last)])
    }
}

fn numbered<'a>(blocks: &'a [RowBlock], first: &mut u64) -> Vec<(u64, &'a RowBlock)> {
    let number = |block: &'a RowBlock| {
        let at = *first;
        *first += block.len() as u64;
        (at, block)
    };
    blocks.iter().map(number).collect()
}

fn read_block(file: &mut File) -> io::Result<RowBlock> {
    let mut block =
        RowBlock { features: vec![0; ROWS_PER_BLOCK * FEATURES], facts: vec![Facts::zeroed(); ROWS_PER_BLOCK] };
    file.read_exact(&mut block.features)?;
    file.read_exact(bytemuck::cast_slice_mut(&mut block.facts))?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(number: u32) -> Candidate {
        Candidate {
            actor: number,
            address: u32::MAX,
            time: 5,
            group: 9,
            class: ActionClass::Tamper,
            outcome: Outcome::Failure,
            stranger: number.is_multiple_of(2),
            threat: ThreatType::Beaconing,
            strength: 3.5,
        }
    }

    #[test]
    fn rows_come_back_in_order_from_memory_and_from_disk() {
        let mut store = RowStore::default();
        let count = (MEMORY_BLOCKS + 3) * ROWS_PER_BLOCK + 7;
        for number in 0..count {
            store.push(&[number as u8; FEATURES], &candidate(number as u32)).unwrap();
        }
        assert_eq!(store.len(), count as u64);
        let mut next = 0;
        let check = |group: &[(u64, &RowBlock)]| {
            for (first, block) in group {
                assert_eq!(*first, next);
                for at in (0..block.len()).step_by(997) {
                    let number = *first as usize + at;
                    assert_eq!(block.candidate(at), candidate(number as u32));
                    assert_eq!(block.features()[at * FEATURES], number as u8);
                }
                next += block.len() as u64;
            }
            Ok(())
        };
        store.for_each_group(5, check).unwrap();
        assert_eq!(next, count as u64);
    }
}
