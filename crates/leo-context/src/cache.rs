//! What was read before, so that only what has changed is read again.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use crate::content::Content;

/// What tells whether a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
    device: u64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Cache {
    entries: HashMap<String, (Stamp, Content)>,
}

impl Cache {
    pub(crate) fn get(&self, path: &str, stamp: &Stamp) -> Option<&Content> {
        self.entries.get(path).filter(|(own, _)| own == stamp).map(|(_, content)| content)
    }
}
