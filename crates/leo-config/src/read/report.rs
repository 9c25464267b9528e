use std::{cell::RefCell, fmt, ops::Range};

use leo_diagnostic::{Diagnostic, Location, SourceFile};
use leo_env::{Origin, Source, hidden, holds_secret, visible};

use crate::InvalidValue;

/// Where a value was given.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In `leo.toml`, with the whole path of the key.
    Toml { path: String, span: Range<usize> },
    /// In the environment, under a variable's name.
    Env { key: &'static str, origin: Origin },
}

impl fmt::Display for Place {
    /// The key as it is written there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml { path, .. } => f.write_str(path),
            Self::Env { key, .. } => f.write_str(key),
        }
    }
}

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Field<T> {
    pub(crate) value: T,
    /// `None`: it is the default.
    pub(crate) place: Option<Place>,
    /// Whether something else was given, which was reported: the value only stands in, so a rule about it and others would
    /// report nonsense.
    pub(crate) wrong: bool,
}

/// The place to show for a rule about several values: one in an environment's own table, which is what broke the rule,
/// before one in the tables for all.
pub(crate) fn to_blame<'p>(places: &[Option<&'p Place>]) -> Option<&'p Place> {
    let own =
        |place: &&&Place| matches!(place, Place::Toml { path, .. } if path.starts_with("environments."));
    places.iter().flatten().find(own).or_else(|| places.iter().flatten().next()).copied()
}

/// Collects what is wrong.
pub(crate) struct Report<'f> {
    file: &'f SourceFile,
    findings: RefCell<Vec<Finding>>,
}

struct Finding {
    diagnostic: Diagnostic,
    /// The path of the key in `leo.toml` that is to blame.
    path: Option<String>,
}

impl<'f> Report<'f> {
    pub(crate) fn new(file: &'f SourceFile) -> Self {
        Self { file, findings: RefCell::new(Vec::new()) }
    }

    /// The place's line.
    pub(crate) fn locate(&self, place: &Place) -> Option<Location> {
        match place {
            Place::Toml { span, .. } => Some(visible(self.file.location(span.clone()))),
            Place::Env { origin, .. } => origin.location.clone(),
        }
    }

    /// Adds a finding about a place; without one the finding is about something that is nowhere.
    pub(crate) fn add(&self, place: Option<&Place>, diagnostic: Diagnostic) {
        let path = match place {
            Some(Place::Toml { path, .. }) => Some(path.clone()),
            Some(Place::Env { .. }) | None => None,
        };
        let diagnostic = diagnostic.at(place.and_then(|place| self.locate(place)));
        self.findings.borrow_mut().push(Finding { diagnostic, path });
    }

    /// Adds what is wrong with the value at a place.
    pub(crate) fn wrong(&self, place: &Place, error: &InvalidValue) {
        let given = match place {
            // The one setting that is an argument as well.
            Place::Env { origin, .. } if origin.source == Source::Argument => "`--environment`".to_owned(),
            Place::Env { origin, .. } if origin.location.is_none() => format!("`{place}` from {origin}"),
            Place::Env { .. } | Place::Toml { .. } => format!("`{place}`"),
        };
        let mut diagnostic = Diagnostic::error(format!("{given} {error}"));
        diagnostic.found = error.found_instead().filter(|found| !holds_secret(found)).map(str::to_owned);
        diagnostic.hint = error.hint();
        self.add(Some(place), diagnostic);
        if error.hides()
            && let Some(added) = self.findings.borrow_mut().last_mut()
        {
            added.diagnostic.location = added.diagnostic.location.take().map(|location| hidden(&location));
        }
    }

    /// Adds a finding that has its place already and isn't about `leo.toml`.
    pub(crate) fn add_elsewhere(&self, diagnostic: Diagnostic) {
        self.findings.borrow_mut().push(Finding { diagnostic, path: None });
    }

    /// All findings.
    pub(crate) fn into_all(self) -> Vec<Diagnostic> {
        self.findings.into_inner().into_iter().map(|finding| finding.diagnostic).collect()
    }

    /// The findings about keys under a path.
    pub(crate) fn into_those_under(self, path: &str) -> Vec<Diagnostic> {
        let under = |finding: &Finding| {
            finding
                .path
                .as_deref()
                .and_then(|found| found.strip_prefix(path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.findings.into_inner().into_iter().filter(under).map(|finding| finding.diagnostic).collect()
    }
}
