use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cache::{Cache, Stamp};
use crate::content::{Content, Reader};
use crate::dockerfile::{self, MovingBase};
use crate::error::ContextError;
use crate::hash::{Fields, SourceHash};
use crate::ignore::{self, IGNORE_FILE, IgnoreList};
use crate::leak::{IgnoreLine, Leak, LeakSource, Scanner, kind_name, named_secret};
use crate::place;
use crate::walk::{Found, walk};

/// What is looked at: all that decides what an image becomes.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The build context.
    pub context: &'a Path,
    /// The Dockerfile, with its whole path. It has to lie in the context.
    pub dockerfile: &'a Path,
    /// Further folders that the Dockerfile reads by name (`COPY --from=<name>`).
    pub named: &'a BTreeMap<String, PathBuf>,
    /// Build arguments.
    pub build_args: &'a BTreeMap<String, String>,
    /// The stage to build; `None`: the last.
    pub target: Option<&'a str>,
    /// What it is built for, like `linux/arm64`.
    pub platform: &'a str,
    /// Anything else that makes another image of the same sources, like how it is exported.
    pub recipe: &'a str,
    /// Files and folders that look like secrets and are none, relative to their context.
    pub allowed: &'a [PathBuf],
    /// The folder where what was read is remembered; `None` reads everything.
    pub cache: Option<&'a Path>,
    /// This repository, which holds `env/.env`: no context may contain it.
    pub own_root: Option<&'a Path>,
    /// The user's home folder, which no context may be or contain.
    pub home: Option<&'a Path>,
}

/// What a build would see.
#[derive(Clone, Debug)]
pub struct Look {
    /// All of it as one number.
    pub hash: SourceHash,
    /// Files that a build would see.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were read; the others are as they were at an earlier look.
    pub read: u64,
    /// What the Dockerfile takes from outside that can be another thing tomorrow. Where there is any, the same hash
    /// gives the same image for a while only.
    pub moving: Vec<MovingBase>,
    /// What looks like a secret, in the order of places and paths. A build must not go on while there is any.
    pub leaks: Vec<Leak>,
    /// What was allowed and is not there, or does not look like a secret.
    pub unused_allowed: Vec<PathBuf>,
}

/// Looks at what a build would see.
///
/// # Errors
/// What the user has to set right first: a context or Dockerfile that is missing or where it must not be, a bad
/// pattern, a file that can't be read.
pub fn look(request: &Request<'_>) -> Result<Look, ContextError> {
    let context = place::context(request.context, request.own_root, request.home)?;
    let dockerfile = place::dockerfile(request.dockerfile, &context)?;
    let text = std::fs::read(&dockerfile)
        .map_err(|source| ContextError::Dockerfile { path: request.dockerfile.to_owned(), source })?;
    let scanner = Scanner::new();

    let mut look = Look {
        hash: Fields::new("").finish(),
        files: 0,
        bytes: 0,
        read: 0,
        moving: dockerfile::moving(&String::from_utf8_lossy(&text), request.build_args, |name| {
            request.named.contains_key(name)
        }),
        leaks: Vec::new(),
        unused_allowed: Vec::new(),
    };
    let mut hash = Fields::new("leo-context 1");
    hash.add(request.recipe.as_bytes());
    hash.add(request.platform.as_bytes());
    hash.add(request.target.unwrap_or_default().as_bytes());
    hash.number(request.build_args.len() as u64);
    for (name, value) in request.build_args {
        hash.add(name.as_bytes());
        hash.add(value.as_bytes());
        scanner.scan(value.as_bytes(), true, |kind, _| {
            look.leaks.extend(kind_name(kind).map(|what| Leak {
                context: LeakSource::BuildArgument(name.clone()),
                path: name.into(),
                line: None,
                what,
                ignore: None,
            }));
        });
    }
    hash.add(&text);

    let list = ignore::list_of(&context, &dockerfile);
    folder(&context, &list, &LeakSource::Context, &scanner, &mut hash, &mut look)?;
    for (name, path) in request.named {
        let path = place::context(path, request.own_root, request.home)?;
        hash.add(name.as_bytes());
        let list = path.join(IGNORE_FILE);
        folder(&path, &list, &LeakSource::Named(name.clone()), &scanner, &mut hash, &mut look)?;
    }
    let allowed = |leak: &Leak| {
        matches!(leak.context, LeakSource::Context | LeakSource::Named(_))
            && request.allowed.iter().any(|allowed| leak.path.starts_with(allowed))
    };
    look.leaks.retain(|leak| !allowed(leak));
    look.hash = hash.finish();
    Ok(look)
}

/// Looks at one context.
fn folder(
    root: &Path,
    list: &Path,
    source: &LeakSource,
    scanner: &Scanner,
    hash: &mut Fields,
    look: &mut Look,
) -> Result<(), ContextError> {
    let found = walk(root, &IgnoreList::read(list)?)?;
    let cache = Cache::default();
    let contents = contents(root, &found, &cache, scanner)?;
    hash.number(found.len() as u64);
    for (found, content) in found.iter().zip(&contents) {
        let kind = found.metadata.file_type();
        hash.add(found.path.as_bytes());
        let mode = u64::from(found.metadata.permissions().mode() & 0o7777);
        let mut leak = |end: usize, line, what| {
            let path = found.path.get(..end).unwrap_or(&found.path);
            if look
                .leaks
                .iter()
                .any(|leak| leak.context == *source && leak.path == Path::new(path) && leak.line == line)
            {
                return;
            }
            let ignore = IgnoreLine { file: list.to_owned(), line: ignore::line_for(path) };
            look.leaks.push(Leak {
                context: source.clone(),
                path: path.into(),
                line,
                what,
                ignore: Some(ignore),
            });
        };
        let named = named_secret(&found.path, kind.is_dir());
        if let Some((end, what)) = named {
            leak(end, None, what);
        }
        if let Some((content, fresh)) = content {
            hash.add(b"file");
            hash.number(mode);
            hash.add(&content.hash);
            hash.add(&content.capabilities);
            look.files += 1;
            look.bytes += found.metadata.size();
            look.read += u64::from(*fresh);
            if named.is_none() {
                for token in &content.tokens {
                    if let Some(what) = kind_name(token.kind) {
                        leak(found.path.len(), Some(token.line), what);
                    }
                }
            }
        } else if kind.is_symlink() {
            hash.add(b"link");
            let place = root.join(&found.path);
            let target = std::fs::read_link(&place)
                .map_err(|source| ContextError::Unreadable { path: place, source })?;
            hash.add(target.as_os_str().as_encoded_bytes());
        } else if kind.is_dir() {
            hash.add(b"folder");
            hash.number(mode);
        } else {
            hash.add(if kind.is_fifo() { b"fifo" } else { b"device" });
            hash.number(mode);
            hash.number(found.metadata.rdev());
        }
    }
    Ok(())
}

/// The content of each regular file, and whether it was read now.
fn contents(
    root: &Path,
    found: &[Found],
    cache: &Cache,
    scanner: &Scanner,
) -> Result<Vec<Option<(Content, bool)>>, ContextError> {
    let is_file = |metadata: &Metadata| metadata.file_type().is_file();
    let mut contents: Vec<Option<(Content, bool)>> = found
        .iter()
        .map(|found| {
            cache.get(&found.path, &Stamp::of(&found.metadata)).map(|content| (content.clone(), false))
        })
        .collect();
    let missing: Vec<usize> = (0..found.len())
        .filter(|&index| {
            contents.get(index).is_some_and(Option::is_none)
                && found.get(index).is_some_and(|found| is_file(&found.metadata))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Vec::new(), None));
    let work = || {
        let mut reader = Reader::new(scanner);
        let mut own = Vec::new();
        let mut failed = None;
        while let Some(&index) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(found) = found.get(index) else { break };
            let path = root.join(&found.path);
            match reader.read(&path) {
                Ok(content) => own.push((index, content)),
                Err(source) => {
                    failed = Some(ContextError::Unreadable { path, source });
                    break;
                }
            }
        }
        if let Ok(mut done) = done.lock() {
            done.0.append(&mut own);
            done.1 = done.1.take().or(failed);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(missing.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let (fresh, failed) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = failed {
        return Err(error);
    }
    for (index, content) in fresh {
        if let Some(place) = contents.get_mut(index) {
            *place = Some((content, true));
        }
    }
    Ok(contents)
}
