//! The names seen in a log, interned as a tree, so that a known name costs one comparison.
//!
//! Every name remembers which name followed it last time: logs repeat their order of fields, so the guess is nearly
//! always right and no lookup is needed. Hostile logs with endless new names make the tree forget and start anew.

use rapidhash::RapidHashMap;

use super::fields::{FieldTable, Target, normalize};

/// Index of a name in the tree.
pub(crate) type NodeId = u32;

/// The record itself.
pub(crate) const ROOT: NodeId = 0;
/// Stands for every name that is not kept.
const UNKEPT: NodeId = 1;

/// Longer dotted names are no field of any table; the limit keeps deep hostile nesting from costing.
const MAX_PATH: usize = 256;
/// Names kept from record to record.
const MAX_KEPT: usize = 16_384;
/// Names kept within one record.
const MAX_NODES: usize = 262_144;
/// Names of one hash that are told apart.
const MAX_CHAIN: u64 = 8;

/// What a name says about the objects of a list such as `[{"Name": "User", "Value": "bob"}]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PairRole {
    None,
    Name,
    Value,
}

/// One name under its parent.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    parent: NodeId,
    /// The name with the quote that ends it in JSON, so that one comparison finds both.
    quoted: Box<[u8]>,
    /// Its first sixteen bytes, and which bits of them count: most names are compared by this alone.
    head: u128,
    mask: u128,
    path_len: usize,
    successor: NodeId,
    /// The last object that this name was seen in.
    seen: u64,
    pub(crate) target: Target,
    pub(crate) pair: PairRole,
    /// Where the builder counts the uses of this name, by claim.
    pub(crate) tally: [u32; 2],
}

/// The tree.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    nodes: Vec<Node>,
    index: RapidHashMap<u64, NodeId>,
    /// The name seen last.
    last: NodeId,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let mut keys = Self { nodes: Vec::new(), index: RapidHashMap::default(), last: ROOT };
        keys.forget();
        keys
    }

    /// Before each record: nothing was seen of it, and of names there are not too many.
    pub(crate) fn begin(&mut self) {
        self.last = ROOT;
        if self.nodes.len() > MAX_KEPT {
            self.forget();
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// The guess: the name that followed the last one, if it is one of `parent`'s and `bytes` start with it and a
    /// quote. Gives the name and its length without the quote.
    #[inline]
    pub(crate) fn predict(&mut self, parent: NodeId, bytes: &[u8]) -> Option<(NodeId, usize)> {
        let id = self.nodes[self.last as usize].successor;
        let node = &self.nodes[id as usize];
        let fits = match bytes.first_chunk::<16>() {
            Some(head) if node.quoted.len() <= 16 => u128::from_le_bytes(*head) & node.mask == node.head,
            _ => bytes.starts_with(&node.quoted),
        };
        if node.parent == parent && fits {
            self.last = id;
            return Some((id, node.quoted.len() - 1));
        }
        None
    }

    /// The name `key` under `parent`, made known if it is new.
    pub(crate) fn child(&mut self, table: &FieldTable, parent: NodeId, key: &str) -> NodeId {
        let guess = self.nodes[self.last as usize].successor;
        if self.is(guess, parent, key) {
            self.last = guess;
            return guess;
        }
        let id = self.find(table, parent, key);
        if id != UNKEPT {
            self.nodes[self.last as usize].successor = id;
            self.last = id;
        }
        id
    }

    /// Whether the name was already seen in the object of this serial number; notes that it was now.
    #[inline]
    pub(crate) fn seen_before(&mut self, id: NodeId, object: u64) -> bool {
        let node = &mut self.nodes[id as usize];
        std::mem::replace(&mut node.seen, object) == object && id != UNKEPT
    }

    /// The dotted name.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let mut parts = Vec::new();
        let mut at = id;
        while at > UNKEPT {
            let node = self.node(at);
            parts.push(String::from_utf8_lossy(node.key()));
            at = node.parent;
        }
        parts.reverse();
        parts.join(".")
    }

    fn is(&self, id: NodeId, parent: NodeId, key: &str) -> bool {
        let node = self.node(id);
        node.parent == parent && node.key() == key.as_bytes() && id > UNKEPT
    }

    fn find(&mut self, table: &FieldTable, parent: NodeId, key: &str) -> NodeId {
        let path_len = self.node(parent).path_len + key.len() + 1;
        if path_len > MAX_PATH || self.nodes.len() >= MAX_NODES || parent == UNKEPT {
            return UNKEPT;
        }
        let hash = super::build::hash_text(key.as_bytes()) ^ u64::from(parent).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut place = hash;
        for step in 0..MAX_CHAIN {
            place = hash.wrapping_add(step);
            match self.index.get(&place) {
                Some(&id) if self.is(id, parent, key) => return id,
                Some(_) => {}
                None => break,
            }
        }
        let id = self.add(parent, key, path_len);
        self.index.insert(place, id);
        let target = table.resolve(&self.path(id));
        self.node_mut(id).target = target;
        id
    }

    fn add(&mut self, parent: NodeId, key: &str, path_len: usize) -> NodeId {
        let id = NodeId::try_from(self.nodes.len()).expect("there are at most MAX_NODES names");
        let pair = match normalize(key).as_str() {
            "name" | "key" => PairRole::Name,
            "value" | "text" | "valuestring" => PairRole::Value,
            _ => PairRole::None,
        };
        let quoted = [key.as_bytes(), b"\""].concat().into_boxed_slice();
        let target = Target::NONE;
        let (head, mask) = head(&quoted);
        self.nodes.push(Node {
            head,
            mask,
            parent,
            quoted,
            path_len,
            successor: UNKEPT,
            seen: 0,
            target,
            pair,
            tally: [super::draft::NO_TALLY; 2],
        });
        id
    }

    fn forget(&mut self) {
        self.nodes.clear();
        self.index.clear();
        self.last = ROOT;
        self.add(NodeId::MAX, "", 0);
        self.add(NodeId::MAX, "", MAX_PATH);
    }
}

fn head(quoted: &[u8]) -> (u128, u128) {
    let (mut head, mut mask) = ([0; 16], [0; 16]);
    for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(quoted) {
        (*head, *mask) = (*byte, 0xff);
    }
    (u128::from_le_bytes(head), u128::from_le_bytes(mask))
}

impl Node {
    fn key(&self) -> &[u8] {
        &self.quoted[..self.quoted.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_order_is_predicted() {
        let (mut keys, table) = (Keys::new(), FieldTable::default());
        let names = ["timestamp", "user", "x"];
        let ids: Vec<NodeId> = names.iter().map(|name| keys.child(&table, ROOT, name)).collect();
        keys.begin();
        for (name, id) in names.iter().zip(&ids) {
            let bytes = format!("{name}\": 1");
            assert_eq!(keys.predict(ROOT, bytes.as_bytes()), Some((*id, name.len())));
        }
        keys.begin();
        assert_eq!(keys.predict(ROOT, b"timestamps\""), None);
        assert_eq!(keys.child(&table, ROOT, "user"), ids[1]);
    }

    #[test]
    fn names_are_apart_by_parent_and_join_to_paths() {
        let (mut keys, table) = (Keys::new(), FieldTable::default());
        let source = keys.child(&table, ROOT, "source");
        let ip = keys.child(&table, source, "ip");
        assert_ne!(ip, keys.child(&table, ROOT, "ip"));
        assert_eq!(keys.path(ip), "source.ip");
        assert_eq!(keys.node(ip).target, table.resolve("source.ip"));
    }

    #[test]
    fn endless_new_names_are_forgotten_and_deep_ones_not_kept() {
        let (mut keys, table) = (Keys::new(), FieldTable::default());
        for number in 0..MAX_KEPT + 10 {
            keys.child(&table, ROOT, &format!("k{number}"));
        }
        assert!(keys.nodes.len() > MAX_KEPT);
        keys.begin();
        assert_eq!(keys.nodes.len(), 2);
        assert!(keys.node(keys.last).successor == UNKEPT);
        assert_eq!(keys.child(&table, ROOT, &"x".repeat(300)), UNKEPT);
        assert!(!keys.seen_before(UNKEPT, 7) && !keys.seen_before(UNKEPT, 7));
        let user = keys.child(&table, ROOT, "user");
        assert!(!keys.seen_before(user, 7) && keys.seen_before(user, 7));
    }
}
