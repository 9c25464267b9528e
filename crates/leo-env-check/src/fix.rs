//! What can be put right without asking.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use crate::{Kind, Report};

/// Only its owner may read and write it.
const PRIVATE: u32 = 0o600;

/// Makes every file that others may read its owner's alone. Each with how it went.
pub fn fix(root: &Path, report: &Report) -> Vec<(String, io::Result<()>)> {
    let readable = report.findings.iter().filter(|finding| finding.kind == Kind::Readable);
    readable
        .filter_map(|finding| finding.path.clone())
        .map(|path| {
            let done = fs::set_permissions(root.join(&path), fs::Permissions::from_mode(PRIVATE));
            (path, done)
        })
        .collect()
}
