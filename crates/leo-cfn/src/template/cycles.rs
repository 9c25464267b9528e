//! Finds circular dependencies.

use std::collections::{BTreeMap, BTreeSet};

/// The resources that each resource needs first.
pub(crate) type Dependencies<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The names that are left when everything without unmet needs is taken away, again and again: each is on a
/// cycle or needs one. Of those, the ones on a cycle come back, sorted; nothing when there is none.
pub(crate) fn on_cycles(dependencies: &Dependencies<'_>) -> Vec<String> {
    let mut left = dependencies.clone();
    loop {
        let before = left.len();
        let names: BTreeSet<&str> = left.keys().copied().collect();
        left.retain(|_, needs| needs.iter().any(|need| names.contains(need)));
        let needed: BTreeSet<&str> = left.values().flatten().copied().collect();
        left.retain(|name, _| needed.contains(name));
        if left.len() == before {
            return left.into_keys().map(str::to_owned).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&'static str, &'static str)]) -> Dependencies<'static> {
        let mut graph = Dependencies::new();
        for (from, to) in edges {
            graph.entry(from).or_default().insert(to);
            graph.entry(to).or_default();
        }
        graph
    }

    #[test]
    fn only_what_is_on_a_cycle_is_named() {
        assert!(on_cycles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
        assert_eq!(on_cycles(&graph(&[("x", "a"), ("a", "b"), ("b", "a"), ("b", "y")])), ["a", "b"]);
        assert_eq!(on_cycles(&graph(&[("self", "self")])), ["self"]);
    }
}
