//! Sets of things that belong together, joined pair by pair.

/// Things by their number, each in one set.
#[derive(Debug, Clone)]
pub(super) struct Unions {
    parents: Vec<usize>,
}

impl Unions {
    /// So many things, each alone.
    pub(super) fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// The thing that stands for the set of another.
    pub(super) fn root(&mut self, mut thing: usize) -> usize {
        while self.parents[thing] != thing {
            // Halving the path keeps later walks short.
            self.parents[thing] = self.parents[self.parents[thing]];
            thing = self.parents[thing];
        }
        thing
    }

    /// Puts the sets of two things together.
    pub(super) fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.root(left), self.root(right));
        self.parents[left] = right;
    }

    /// Puts the sets of all these together.
    pub(super) fn join_all(&mut self, things: &[usize]) {
        for pair in things.windows(2) {
            self.join(pair[0], pair[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_shares_a_root() {
        let mut sets = Unions::new(5);
        sets.join_all(&[0, 1, 2]);
        sets.join(3, 4);
        assert_eq!(sets.root(0), sets.root(2));
        assert_ne!(sets.root(0), sets.root(3));
        sets.join(4, 1);
        assert_eq!(sets.root(0), sets.root(3));
    }
}
