//! Time per row of the block scorer: `cargo bench --bench forest`. Prints the best of several runs, in nanoseconds.
//!
//! Best, not mean: on a machine that others use too, the least disturbed run says most about the code.

use std::hint::black_box;
use std::time::Instant;

use watchbell::score::bits::{BLOCK_ROWS, BitForest, Ladder, Planes};
use watchbell::score::forest::{Forest, ForestOptions, Split};
use watchbell::score::matrix::{ByteRows, Matrix};
use watchbell::score::random::Random;

const COLUMNS: usize = 32;
const BLOCKS: usize = 40;

fn main() {
    let mut random = Random::new(1);
    let bytes: Vec<u8> = (0..BLOCKS * BLOCK_ROWS * COLUMNS)
        .map(|at| match at % COLUMNS {
            0..8 => random.below(4) as u8 * 60,
            8..20 => (random.unit().powi(3) * 255.0) as u8,
            _ => (128.0 + 40.0 * random.normal()).clamp(0.0, 255.0) as u8,
        })
        .collect();
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_ROWS * COLUMNS).collect();
    report("rows to planes", || blocks.iter().for_each(|block| drop(black_box(Planes::from_rows(block, COLUMNS)))));
    let planes: Vec<Planes> = blocks.iter().map(|block| Planes::from_rows(block, COLUMNS)).collect();
    let mut ladder = Ladder::default();
    report("planes to ladder", || planes.iter().for_each(|planes| ladder.set(black_box(planes))));
    for split in [Split::Random, Split::PooledGain] {
        let table = ByteRows::new(&bytes, COLUMNS);
        let forest = Forest::fit(&table, ForestOptions { split, ..ForestOptions::default() });
        let bits = BitForest::compile(&forest).expect("a forest over bytes compiles");
        let nodes: usize = forest.trees().iter().map(|tree| tree.nodes().len()).sum();
        let mut out = [0.0; BLOCK_ROWS];
        report(&format!("bits {split:?}, {nodes} nodes"), || {
            planes.iter().for_each(|planes| {
                bits.score(planes, &mut out);
                black_box(&out);
            });
        });
        let few = &bytes[..2 * BLOCK_ROWS * COLUMNS];
        let matrix = Matrix::new(few.iter().map(|&byte| f64::from(byte)).collect(), COLUMNS).expect("bytes are finite");
        let begin = Instant::now();
        black_box(forest.score_all(&matrix, 1));
        println!("{:>10.1} ns/row  plain {split:?}", begin.elapsed().as_nanos() as f64 / (2 * BLOCK_ROWS) as f64);
    }
}

fn report(name: &str, mut run: impl FnMut()) {
    let best = (0..30)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_nanos()
        })
        .min()
        .unwrap_or_default();
    println!("{:>10.1} ns/row  {name}", best as f64 / (BLOCKS * BLOCK_ROWS) as f64);
}
