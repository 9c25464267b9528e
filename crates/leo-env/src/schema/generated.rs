//! The files that are made from the schema, so that they can't say anything else.

use std::fmt::Write;

use super::{Consumer, FilePlace, KeySpec, Schema, SecretSpec};
use crate::{Setting, edit::token};

/// What both files are made by.
const COMMAND: &str = "cargo xtask env-generate";

/// The two tables of the page.
const SETTINGS: &str = "settings";
const SECRETS: &str = "secrets";

impl Schema {
    /// The committed example of `env/.env`.
    pub const EXAMPLE: &str = "env/.env.example";

    /// The page whose tables are made from the schema.
    pub const PAGE: &str = "docs/environment-configuration.md";

    /// All of `env/.env.example`: every secret with an empty value, and as comments what else may be there.
    pub fn example(&self) -> String {
        let mut text = format!(
            "# What a private environment file may hold: env/.env, or env/.env.<environment>, whose secrets are then that\n\
             # environment's only ones (a protected one needs its own). `cargo xtask init` asks for all of it; by hand:\n\
             #     install -m 600 {example} env/.env\n\
             # and fill in the values. Git and Docker ignore that copy, which is yours to change; local runs never read it.\n\
             # {example} itself is made from {path} by `{COMMAND}`.\n\
             # A value with spaces, quotes, `$` or `#` goes into single quotes.\n",
            example = Self::EXAMPLE,
            path = self.path()
        );
        for (key, secret) in self.secrets() {
            text += &comment(&format!("{}.", capitalised(&key.help)));
            if let Some(get) = &key.get {
                let _ = writeln!(text, "# From: {get}");
            }
            if !key.shapes.is_empty() {
                let _ = writeln!(text, "# Like: {}", shapes(key));
            }
            let _ = writeln!(text, "# For: {}\n{}=", consumers(secret), key.name);
        }
        let needed = |key: &&KeySpec| key.file == FilePlace::Env && key.required;
        for key in self.settings().filter(needed) {
            text += &comment(&format!("{}.", capitalised(&key.help)));
            let _ = writeln!(text, "{}=", key.name);
        }
        text += "\n# The settings of env/.env.defaults can be overridden here for this machine alone:\n";
        for key in self.settings().filter(|key| !needed(key)) {
            let _ = writeln!(text, "# {}={}", key.name, written(key));
        }
        text
    }

    /// The page of variables with its tables as the schema has them, the rest as it is; `None`: the lines that say where the
    /// tables begin and end are not in it.
    pub fn page(&self, page: &str) -> Option<String> {
        let page = replaced(page, SETTINGS, &self.settings_table())?;
        replaced(&page, SECRETS, &self.secrets_table())
    }

    fn settings_table(&self) -> String {
        let mut rows = vec![
            ["key", "what it is", "its form", "usual place", "needed", "in `[environments.<name>]`"]
                .map(str::to_owned),
        ];
        rows.extend(self.settings().map(|key| {
            let needed = match (&key.default, key.required) {
                (Some(default), _) => format!("without it `{default}`"),
                (None, true) => "yes".to_owned(),
                (None, false) => String::new(),
            };
            let place = match key.file {
                FilePlace::Defaults => "`env/.env.defaults`",
                FilePlace::Env => "`env/.env`",
                FilePlace::Any => "either",
            };
            let own = Setting::of_key(&key.name).and_then(Setting::in_leo_toml);
            [
                format!("`{}`", key.name),
                with_source(key),
                form(key),
                place.to_owned(),
                needed,
                own.map(|own| format!("`{own}`")).unwrap_or_default(),
            ]
        }));
        table(&rows)
    }

    fn secrets_table(&self) -> String {
        let mut rows = vec![["key", "what it is", "like", "kept in", "for"].map(str::to_owned)];
        rows.extend(self.secrets().map(|(key, secret)| {
            let mut kept = format!("`leo/<environment>/{}`", secret.provider);
            if secret.json_key != key.name {
                let _ = write!(kept, " as `{}`", secret.json_key);
            }
            let like = if key.shapes.is_empty() { form(key) } else { shapes(key) };
            [format!("`{}`", key.name), with_source(key), like, kept, consumers(secret)]
        }));
        table(&rows)
    }
}

/// A setting's default or example as it has to be written to be read as that; empty where it has none, or none that can be
/// written.
fn written(key: &KeySpec) -> String {
    let value = key.default.as_ref().or(key.example.as_ref());
    value.and_then(|value| token(value)).map_or_else(String::new, |token| (*token).clone())
}

/// What a key is, and where to get a value.
fn with_source(key: &KeySpec) -> String {
    match &key.get {
        Some(get) => format!("{}. From: {get}", key.help),
        None => key.help.clone(),
    }
}

fn form(key: &KeySpec) -> String {
    match &key.example {
        Some(example) => format!("{}: `{example}`", key.kind),
        None => key.kind.to_string(),
    }
}

fn shapes(key: &KeySpec) -> String {
    key.shapes.iter().map(|shape| shape.wanted()).collect::<Vec<_>>().join("; or ")
}

fn consumers(secret: &SecretSpec) -> String {
    secret.consumers.iter().copied().map(Consumer::name).collect::<Vec<_>>().join(", ")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The longest line of a comment.
const WIDTH: usize = 120;

/// An empty line and a comment of as many lines as it takes.
fn comment(text: &str) -> String {
    let mut lines = String::from("\n#");
    let mut width = 1;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if width + length > WIDTH {
            lines += "\n#";
            width = 1;
        }
        lines += " ";
        lines += word;
        width += length;
    }
    lines + "\n"
}

/// A table of Markdown, its first row the head.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let row = |cells: &[String; COLUMNS]| {
        let cells: Vec<String> = cells.iter().map(|cell| format!(" {} ", escaped(cell))).collect();
        format!("|{}|\n", cells.join("|").replace("|  |", "| |").replace("|  |", "| |"))
    };
    let mut lines: Vec<String> = rows.iter().map(row).collect();
    lines.insert(1, format!("|{}\n", "---|".repeat(COLUMNS)));
    lines.concat()
}

/// A cell's text. What stands in angle brackets would be taken for HTML.
fn escaped(cell: &str) -> String {
    let mut code = false;
    let mut text = String::new();
    for c in cell.chars() {
        match c {
            '`' => code = !code,
            '|' => text.push('\\'),
            '<' | '>' if !code => text.push('\\'),
            _ => {}
        }
        text.push(c);
    }
    text
}

/// A page with the lines between two marks replaced.
fn replaced(page: &str, name: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- {name}: made from infra/env.toml by `{COMMAND}` -->\n");
    let end = format!("<!-- end of {name} -->\n");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{table}{end}{after}"))
}
