//! Reading and parsing on other threads, in order.
//!
//! One thread reads and cuts blocks, the workers parse them, and the caller gets the batches in the order of the file,
//! whatever the number of workers: block `i` goes to worker `i mod n` and comes back from it. The channels are short, so
//! that memory does not grow when one side is slower.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    parse::{Block, Blocks, EventBatch, OpenLog, Parser},
    source::SourceError,
};

/// Batches that may wait between two threads.
const WAITING: usize = 2;

/// How the reading of a log ended.
#[derive(Debug)]
pub(super) struct End {
    /// Offset that was reached in the decompressed file.
    pub(super) offset: u64,
    /// What cut it short.
    pub(super) error: Option<SourceError>,
}

/// The same on the caller's thread alone: for a log that is in memory and short, threads cost more than they bring.
pub(super) fn read_here(log: OpenLog, stop: &AtomicBool, mut each: impl FnMut(EventBatch)) -> End {
    let OpenLog { mut parser, mut blocks, .. } = log;
    let mut error = None;
    while let Some(block) = blocks.next().filter(|_| !stop.load(Ordering::Relaxed)) {
        match block {
            Ok(block) => each(parser.parse(block)),
            Err(failed) => {
                error = Some(failed);
                break;
            }
        }
    }
    End { offset: blocks.end_offset(), error }
}

/// Reads a log to its end, giving each batch in order to `each`; ends early when `stop` is set.
pub(super) fn read(log: OpenLog, workers: usize, stop: &AtomicBool, mut each: impl FnMut(EventBatch)) -> End {
    let OpenLog { parser, mut blocks, .. } = log;
    let workers = workers.max(1);
    thread::scope(|scope| {
        let mut to_workers = Vec::with_capacity(workers);
        let mut from_workers = Vec::with_capacity(workers);
        for _ in 0..workers {
            let (send_block, blocks) = sync_channel::<Block>(WAITING);
            let (batches, receive_batch) = sync_channel::<EventBatch>(WAITING);
            let parser = parser.clone();
            scope.spawn(move || parse_all(parser, &blocks, &batches));
            to_workers.push(send_block);
            from_workers.push(receive_batch);
        }
        let reader = scope.spawn(move || {
            let error = send_all(&mut blocks, to_workers, stop);
            End { offset: blocks.end_offset(), error }
        });
        let mut turn = 0;
        // A worker that hangs up at its turn has had its last block: so have all the others.
        while let Ok(batch) = from_workers[turn % workers].recv() {
            each(batch);
            turn += 1;
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn parse_all(mut parser: Parser, blocks: &Receiver<Block>, batches: &SyncSender<EventBatch>) {
    while let Ok(block) = blocks.recv() {
        if batches.send(parser.parse(block)).is_err() {
            return;
        }
    }
}

fn send_all(blocks: &mut Blocks, to_workers: Vec<SyncSender<Block>>, stop: &AtomicBool) -> Option<SourceError> {
    for (turn, block) in blocks.by_ref().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        match block {
            Ok(block) => {
                if to_workers[turn % to_workers.len()].send(block).is_err() {
                    return None;
                }
            }
            Err(error) => return Some(error),
        }
    }
    None
}
