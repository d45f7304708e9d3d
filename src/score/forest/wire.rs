//! A forest as it stands in a model file, and the check that what stands there is a forest.
//!
//! The bytes may come from anybody. A tree is accepted only as a preorder in which every node has exactly one parent;
//! after that no walk can leave the tree or run for ever, and nothing needs to be checked while scoring.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Forest, Node, Tree};

/// Deeper trees than this are not grown: the height limit for the largest sample.
const MOST_DEPTH: usize = 64;

/// Longer paths than this do not occur: depth plus the expected path for the largest sample.
const MOST_PATH: f32 = 256.0;

/// Why a stored forest is not one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ForestError {
    /// No scoring without trees.
    #[error("expected a forest with at least one tree")]
    NoTrees,
    /// A sample of no size that can have been drawn.
    #[error("expected a sample of at most {most} rows, found {found}", most = u32::MAX)]
    Sample {
        /// Size found.
        found: usize,
    },
    /// A child that is not where a preorder has it, a tree that is too deep or has nodes that belong to nobody.
    #[error("expected a tree in preorder, tree {tree} breaks it at node {node}")]
    Shape {
        /// Tree, from 0.
        tree: usize,
        /// Node, from 0.
        node: usize,
    },
    /// A column that rows do not have, or a number that no growth gives.
    #[error("expected a feature below {columns} and a finite threshold or path in tree {tree}, node {node}")]
    Value {
        /// Columns of the forest.
        columns: usize,
        /// Tree, from 0.
        tree: usize,
        /// Node, from 0.
        node: usize,
    },
}

/// The stored form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForestWire {
    columns: usize,
    sample: usize,
    trees: Vec<Vec<Node>>,
}

impl From<Forest> for ForestWire {
    fn from(forest: Forest) -> Self {
        let trees = forest.trees.into_iter().map(|tree| tree.nodes).collect();
        Self { columns: forest.columns, sample: forest.sample, trees }
    }
}

impl TryFrom<ForestWire> for Forest {
    type Error = ForestError;

    fn try_from(wire: ForestWire) -> Result<Self, ForestError> {
        if wire.trees.is_empty() {
            return Err(ForestError::NoTrees);
        }
        if u32::try_from(wire.sample).is_err() {
            return Err(ForestError::Sample { found: wire.sample });
        }
        let trees = wire.trees.into_iter().enumerate().map(|(index, nodes)| check(nodes, index, wire.columns));
        Ok(Self { columns: wire.columns, sample: wire.sample, trees: trees.collect::<Result<_, _>>()? })
    }
}

/// The tree, if its nodes are one.
fn check(nodes: Vec<Node>, tree: usize, columns: usize) -> Result<Tree, ForestError> {
    // Right children whose left siblings are being read. The one on top must come next after a leaf.
    let mut waiting: Vec<u32> = Vec::new();
    let mut finished = false;
    for (at, node) in nodes.iter().enumerate() {
        let shape = ForestError::Shape { tree, node: at };
        let value = ForestError::Value { columns, tree, node: at };
        if finished {
            return Err(shape);
        }
        match *node {
            Node::Split { feature, threshold, right } => {
                if feature as usize >= columns || !threshold.is_finite() {
                    return Err(value);
                }
                waiting.push(right);
                if waiting.len() > MOST_DEPTH {
                    return Err(shape);
                }
            }
            Node::Leaf { path, density } => {
                if !(0.0..=MOST_PATH).contains(&path) || !density.is_finite() {
                    return Err(value);
                }
                match waiting.pop() {
                    Some(right) if right as usize == at + 1 => {}
                    Some(_) => return Err(shape),
                    None => finished = true,
                }
            }
        }
    }
    if finished { Ok(Tree { nodes }) } else { Err(ForestError::Shape { tree, node: nodes.len() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::forest::ForestOptions;
    use crate::score::matrix::Matrix;
    use crate::score::random::Random;

    fn leaf() -> Node {
        Node::Leaf { path: 1.0, density: 0.0 }
    }

    fn cut(right: u32) -> Node {
        Node::Split { feature: 0, threshold: 1.0, right }
    }

    fn read(trees: Vec<Vec<Node>>) -> Result<Forest, ForestError> {
        Forest::try_from(ForestWire { columns: 1, sample: 4, trees })
    }

    #[test]
    fn a_forest_survives_the_file() {
        let mut random = Random::new(1);
        let matrix = Matrix::new((0..600).map(|_| random.normal()).collect(), 3).unwrap();
        let forest = Forest::fit(&matrix, ForestOptions { trees: 5, ..ForestOptions::default() });
        let text = serde_json::to_string(&forest).unwrap();
        assert_eq!(serde_json::from_str::<Forest>(&text).unwrap(), forest);
    }

    #[test]
    fn what_is_not_a_tree_is_refused() {
        assert!(read(vec![vec![cut(2), leaf(), leaf()]]).is_ok());
        assert_eq!(read(vec![]), Err(ForestError::NoTrees));
        assert_eq!(read(vec![vec![]]), Err(ForestError::Shape { tree: 0, node: 0 }));
        for wrong in [0, 1, 3, u32::MAX] {
            assert!(matches!(read(vec![vec![cut(wrong), leaf(), leaf()]]), Err(ForestError::Shape { .. })), "{wrong}");
        }
        let orphan = read(vec![vec![cut(2), leaf(), leaf(), leaf()]]);
        assert_eq!(orphan, Err(ForestError::Shape { tree: 0, node: 3 }));
        assert!(read(vec![vec![cut(2), leaf()]]).is_err());
        assert!(read(vec![vec![cut(1); 100]]).is_err());
        let endless = Node::Split { feature: 0, threshold: f32::NAN, right: 2 };
        assert!(matches!(read(vec![vec![endless, leaf(), leaf()]]), Err(ForestError::Value { .. })));
        let outside = Node::Split { feature: 1, threshold: 0.0, right: 2 };
        assert!(matches!(read(vec![vec![outside, leaf(), leaf()]]), Err(ForestError::Value { .. })));
        let absurd = Node::Leaf { path: f32::INFINITY, density: 0.0 };
        assert!(matches!(read(vec![vec![absurd]]), Err(ForestError::Value { .. })));
    }
}
