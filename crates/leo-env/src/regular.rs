use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::OFlags;

/// No environment file is larger, in bytes: what is would be something else, by mistake.
pub const LARGEST: u64 = 1 << 20;

/// The text of a file with variables.
///
/// # Errors
/// What opening and reading say; also of what is no regular file, since a pipe waits for whoever writes into it, of more
/// than [`LARGEST`], and of what is no UTF-8 text. [`io::ErrorKind::NotFound`] means that nothing has the name: a link to a
/// file that isn't there is another error, since whoever made it meant a file.
pub fn read_file(path: &Path) -> io::Result<String> {
    // Without it, opening a pipe waits already.
    let waits_for_nobody = OFlags::NONBLOCK.bits().cast_signed();
    let file =
        OpenOptions::new().read(true).custom_flags(waits_for_nobody).open(path).map_err(|error| {
            if is_broken_link(&error, path) { io::Error::other(BROKEN_LINK) } else { error }
        })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let too_large = || io::Error::other("it has more than 1 MiB");
    if metadata.len() > LARGEST {
        return Err(too_large());
    }
    // Room for all of it: what moves while it grows would leave its text behind.
    let mut text = String::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST { Err(too_large()) } else { Ok(text) }
}

/// What is said of a link that leads to nothing.
pub const BROKEN_LINK: &str = "it is a link to a file that isn't there";

/// Whether what was not found is there all the same, as a link.
pub fn is_broken_link(error: &io::Error, path: &Path) -> bool {
    error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    #[test]
    fn a_file_is_read_and_what_is_none_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "A=1\n").unwrap();
        assert_eq!(read_file(&path("file")).unwrap(), "A=1\n");
        assert_eq!(read_file(&path("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        for name in ["pipe", ""] {
            assert_eq!(read_file(&path(name)).unwrap_err().to_string(), "it is no regular file");
        }
        fs::write(path("most"), "#".repeat(1 << 20)).unwrap();
        assert_eq!(read_file(&path("most")).unwrap().len(), 1 << 20);
        fs::write(path("more"), "#".repeat((1 << 20) + 1)).unwrap();
        assert_eq!(read_file(&path("more")).unwrap_err().to_string(), "it has more than 1 MiB");
        symlink("none", path("broken")).unwrap();
        assert_eq!(
            read_file(&path("broken")).unwrap_err().to_string(),
            "it is a link to a file that isn't there"
        );
        symlink("file", path("link")).unwrap();
        assert_eq!(read_file(&path("link")).unwrap(), "A=1\n");
        // The kernel's files say that they are empty.
        assert!(!read_file(Path::new("/proc/self/status")).unwrap().is_empty());
    }
}
