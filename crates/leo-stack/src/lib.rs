//! The composer: wires each crate's exports to the next one's inputs and merges fragments into stacks.
