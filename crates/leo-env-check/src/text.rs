//! A report as a text: the keys as a table, then everything that is wrong.

use std::fmt::Write;

use comfy_table::{Table, presets};
use leo_diagnostic::{Colours, render};

use crate::{FileReport, Key, Place, Report, Sibling, State};

impl Report {
    /// The whole of it as a text; ends with a line feed.
    pub fn to_text(&self, colours: Colours) -> String {
        let mut text = String::new();
        // A `String` takes everything.
        let unless = |verb: &str| match self.environment_unless.as_slice() {
            [] => String::new(),
            files => format!(", unless {} {verb}", any_of(files)),
        };
        let _ = match &self.environment {
            Some(name) => writeln!(text, "environment {name}{}", unless("names another one")),
            None => writeln!(text, "no environment is chosen{}", unless("names one")),
        };
        let _ = writeln!(text, "\n{}", keys(&self.keys));
        let _ = writeln!(text, "\n{}", places(&self.files, &self.siblings));
        for finding in &self.findings {
            let _ = write!(text, "\n{}", render(&finding.diagnostic, colours));
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    fn summary(&self) -> String {
        let count = |number: usize, what: &str| match number {
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        };
        let unopened = if self.public { "; files that may hold secrets were not opened" } else { "" };
        if self.findings.is_empty() {
            return format!("nothing is wrong{unopened}");
        }
        format!("{}, {}{unopened}", count(self.errors(), "error"), count(self.warnings(), "warning"))
    }
}

fn keys(keys: &[Key]) -> String {
    let mut table = columns();
    table.set_header(["key", "value", "from"]);
    for key in keys {
        let value = match key.state {
            State::Set | State::Default => key.shown.clone(),
            State::Unset => "–".to_owned(),
            State::Missing => "missing".to_owned(),
            State::NotOpened => "not opened".to_owned(),
        };
        let mut from = match (&key.from, key.state) {
            (Some(place), State::Default) => format!("the default, {place}"),
            (Some(place), _) => place.to_string(),
            (None, _) => String::new(),
        };
        if !key.overrides.is_empty() {
            let overrides: Vec<String> = key.overrides.iter().map(Place::to_string).collect();
            let _ = write!(from, ", over {}", overrides.join(" and "));
        }
        if !key.unless.is_empty() {
            let comma = if from.is_empty() { "" } else { ", " };
            let verb = if matches!(key.state, State::Unset | State::Missing) { "sets" } else { "overrides" };
            let _ = write!(from, "{comma}unless {} {verb} it", any_of(&key.unless));
        }
        table.add_row([key.name.clone(), value, from]);
    }
    trimmed(&table)
}

fn places(files: &[FileReport], siblings: &[Sibling]) -> String {
    let mut table = columns();
    for file in files {
        let state = match (file.mode, &file.unseen) {
            (None, Some(why)) => format!("can't be looked at: {why}"),
            (None, None) => "not there".to_owned(),
            (Some(mode), _) => {
                let mut state = format!("{mode:04o}");
                for word in file.git.iter().copied().chain((!file.opened).then_some("not opened")) {
                    let _ = write!(state, ", {word}");
                }
                state
            }
        };
        table.add_row([file.path.clone(), state]);
    }
    for sibling in siblings {
        let state = match (sibling.there, &sibling.branch) {
            (false, _) => "not there".to_owned(),
            (true, None) => format!("the {}'s sources, on no branch", sibling.image),
            (true, Some(branch)) => format!("the {}'s sources, on {branch}", sibling.image),
        };
        table.add_row([sibling.context.clone(), state]);
    }
    trimmed(&table)
}

/// `env/.env.dev or env/.env`.
pub(crate) fn any_of(files: &[String]) -> String {
    files.join(" or ")
}

fn columns() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Without the blanks that fill the last column, and the one before the first.
fn trimmed(table: &Table) -> String {
    let lines = table.to_string();
    lines.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect::<Vec<_>>().join("\n")
}
