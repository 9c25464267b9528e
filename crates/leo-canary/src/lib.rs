//! Values that must not be seen, and the search for them in everything that a command leaves behind: for tests alone.
//!
//! A [`Canary`] is told to a command where a secret belongs, or where one does not. [`Canaries`] then knows every form in
//! which it may have got out, also in part. [`Watch`] looks at the command's children while they run.
//!
//! What this crate deliberately does not do: run commands, know which of them there are, or judge where a value may be.

mod forms;
mod watch;

pub use watch::{Seen, Watch};

use std::{fs, io, path::Path};

use aho_corasick::AhoCorasick;

use forms::Form;

/// A value that no other run of a test has.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What a leak is called by: where the value was put.
    pub name: String,
    /// The value.
    pub value: String,
    core: String,
}

impl Canary {
    /// Characters of what is random in it: lower-case letters and digits.
    pub const CORE: usize = 24;

    /// A canary whose value is made around its core, in the shape of the secret that it stands for.
    pub fn new(name: impl Into<String>, shape: impl FnOnce(&str) -> String) -> Self {
        let core = forms::random(Self::CORE);
        Self { name: name.into(), value: shape(&core), core }
    }
}

/// A canary that was found, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Whose value it is.
    pub canary: String,
    /// In which form: `plain`, `base64`, `hexadecimal`, `URL-encoded`, `JSON`.
    pub form: &'static str,
    /// Where: what the search was told it looks at, and the file.
    pub place: String,
}

/// Canaries, and all forms of them.
#[derive(Debug)]
pub struct Canaries {
    all: Vec<Canary>,
    /// For each pattern of the search its canary and form.
    forms: Vec<(usize, Form)>,
    search: AhoCorasick,
}

impl Canaries {
    /// Makes the search for these.
    ///
    /// # Errors
    /// Too many of them for one search.
    pub fn new(all: Vec<Canary>) -> io::Result<Self> {
        let mut forms = Vec::new();
        let mut patterns = Vec::new();
        for (index, canary) in all.iter().enumerate() {
            for (form, pattern) in forms::of(&canary.value, &canary.core) {
                forms.push((index, form));
                patterns.push(pattern);
            }
        }
        let search = AhoCorasick::new(&patterns).map_err(io::Error::other)?;
        Ok(Self { all, forms, search })
    }

    /// The value of one.
    ///
    /// # Panics
    /// Where there is none of that name.
    #[allow(clippy::panic, reason = "a test that asks for what it did not make has failed")]
    pub fn value(&self, name: &str) -> &str {
        let found = self.all.iter().find(|canary| canary.name == name);
        &found.unwrap_or_else(|| panic!("no canary `{name}`")).value
    }

    /// What is found in some bytes; each canary once in each form.
    pub fn in_bytes(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let mut leaks: Vec<Leak> = Vec::new();
        for found in self.search.find_overlapping_iter(bytes) {
            let Some((index, form)) = self.forms.get(found.pattern().as_usize()) else { continue };
            let Some(canary) = self.all.get(*index) else { continue };
            let leak = Leak { canary: canary.name.clone(), form: form.name(), place: place.to_owned() };
            if !leaks.contains(&leak) {
                leaks.push(leak);
            }
        }
        leaks
    }

    /// What is found in the files at and below a path, their names included; links are not followed. `except` says of a
    /// path that canaries were put there.
    ///
    /// # Errors
    /// A folder or file that can't be read. One that vanishes meanwhile is none.
    pub fn below(&self, path: &Path, except: &dyn Fn(&Path) -> bool) -> io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Ok(file) = fs::symlink_metadata(&path) else { continue };
            if except(&path) {
                continue;
            }
            let place = path.display().to_string();
            leaks.extend(self.in_bytes(&format!("the name of {place}"), place.as_bytes()));
            if file.is_dir() {
                for entry in fs::read_dir(&path)? {
                    open.push(entry?.path());
                }
            } else if file.is_file() {
                match fs::read(&path) {
                    Ok(bytes) => leaks.extend(self.in_bytes(&place, &bytes)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(leaks)
    }
}
