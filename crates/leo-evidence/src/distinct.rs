//! Many of a kind, kept once each with how often it came: a service in a loop stops thousands of tasks for one reason.

use serde::{Deserialize, Serialize};

/// The first and the last ones that differ; those between are only counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Distinct<T> {
    /// What was kept, in the order in which it first came.
    pub kept: Vec<Counted<T>>,
    /// How many came that are not kept.
    pub left_out: u64,
}

/// Something that came once or more often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted<T> {
    /// What makes two of them the same.
    pub key: String,
    /// How often it came.
    pub count: u64,
    /// When it first came, in RFC 3339.
    pub first: String,
    /// When it last came, in RFC 3339.
    pub last: String,
    /// The thing itself.
    pub item: T,
}

/// How many are kept: half of them the first, half the last.
const MOST: usize = 40;

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), left_out: 0 }
    }
}

impl<T> Distinct<T> {
    /// Counts one that came at `time`. Whether it is the first of its kind.
    pub(crate) fn count(
        &mut self,
        key: &str,
        time: &str,
        item: impl FnOnce() -> T,
        again: impl FnOnce(&mut T),
    ) -> bool {
        if let Some(known) = self.kept.iter_mut().find(|known| known.key == key) {
            known.count += 1;
            time.clone_into(&mut known.last);
            again(&mut known.item);
            return false;
        }
        if self.kept.len() >= MOST {
            self.left_out += self.kept.remove(MOST / 2).count;
        }
        self.kept.push(Counted {
            key: key.to_owned(),
            count: 1,
            first: time.to_owned(),
            last: time.to_owned(),
            item: item(),
        });
        true
    }

    /// The things themselves.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.kept.iter().map(|counted| &counted.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_counted_and_the_middle_is_left_out() {
        let mut all = Distinct::default();
        for index in 0..1000 {
            all.count(&format!("kind {}", index / 10), &format!("t{index}"), || index, |last| *last = index);
        }
        assert_eq!(all.kept.len(), MOST);
        assert_eq!((all.kept[0].key.as_str(), all.kept[0].count, all.kept[0].item), ("kind 0", 10, 9));
        assert_eq!((all.kept[0].first.as_str(), all.kept[0].last.as_str()), ("t0", "t9"));
        assert_eq!(all.kept.last().map(|last| last.key.as_str()), Some("kind 99"));
        assert_eq!(all.left_out, 600);
    }
}
