//! The schema's text, as keys with every finding collected.

use std::{collections::BTreeSet, ops::Range};

use leo_diagnostic::{Diagnostic, SourceFile, nearest};
use leo_token::Shape;
use toml::de::{DeTable, DeValue};

use super::{
    Consumer, FilePlace, KeySpec, Kind, Pattern, SecretSpec, rules,
    table::{At, Report, Table, shown},
};
use crate::{
    document::{not_toml, type_of},
    form,
};

/// What the file should look like.
const FORM: &str = "a line `[KEY]` for each key, and `name = value` lines under it; texts in quotes";

/// A key, and the places that findings about it and others point to.
pub(super) struct Entry {
    pub(super) spec: KeySpec,
    pub(super) json_key: Range<usize>,
    pub(super) consumers: Range<usize>,
}

/// The keys in the order of the file.
pub(super) fn keys(file: &SourceFile) -> Result<Vec<KeySpec>, Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    if !errors.is_empty() {
        return Err(not_toml(file, &errors, FORM));
    }
    let report = Report::new(file);
    let mut tables: Vec<_> = document.get_ref().iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    if tables.is_empty() {
        let finding = Diagnostic::error("no key is declared")
            .hint("a table a key: `[AWS_REGION]`, and under it its type, its file and a line of help");
        report.add(0..0, finding);
    }
    let mut entries = Vec::new();
    for (name, value) in tables {
        let text = name.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else {
            let shown = shown(text);
            let finding = Diagnostic::error(format!("`{shown}` is not a table"))
                .found(type_of(value.get_ref()))
                .hint(format!("a line `[{shown}]`, and under it what the key is"));
            match value.get_ref() {
                DeValue::String(_) => report.add_hidden(name.span(), &shown, finding),
                _ => report.add(name.span(), finding),
            }
            continue;
        };
        let table = Table::new(&report, text, name.span(), table);
        entries.extend(key(&table));
        table.close();
    }
    rules::check(&report, &entries);
    let findings = report.into_findings();
    if findings.is_empty() {
        Ok(entries.into_iter().map(|entry| entry.spec).collect())
    } else {
        Err(findings)
    }
}

/// One key. What is wrong is reported, and stood in for by something harmless.
fn key(table: &Table<'_>) -> Option<Entry> {
    let provider = table.text("provider");
    let secret = SECRETS_ALONE.into_iter().any(|entry| table.has(entry));
    let named = rules::check_name(table, secret);
    let kind = kind(table);
    let help = help(table);
    let get = table.text("get");
    let pattern = pattern(table);
    let file = file(table, secret);
    let flag = table.flag("required");
    // What a secret must not have is refused as such, whatever it is.
    let of_setting = |entry| {
        if secret {
            table.known(entry);
            return None;
        }
        table.text(entry)
    };
    let default = of_setting("default");
    let example = of_setting("example");
    let shapes = shapes(table);
    let json_key = table.text("json_key");
    let consumers = consumers(table);
    let text = |at: &At<&str>| at.0.to_owned();
    let entry = Entry {
        json_key: if table.has("json_key") { table.place("json_key") } else { table.span.clone() },
        consumers: table.place("consumers"),
        spec: KeySpec {
            name: table.name.to_owned(),
            kind,
            required: secret || flag.unwrap_or(false),
            default: default.as_ref().map(text),
            file,
            secret: secret
                .then(|| secret_spec(table, provider.as_ref(), json_key.as_ref(), consumers))
                .flatten(),
            shapes,
            pattern,
            example: example.as_ref().map(text),
            help,
            get: get.as_ref().map(text),
            line: table.report.line(&table.span),
        },
    };
    rules::check_values(table, &entry.spec, secret);
    named.then_some(entry)
}

/// What only a secret has.
const SECRETS_ALONE: [&str; 4] = ["provider", "json_key", "consumers", "shapes"];

fn secret_spec(
    table: &Table<'_>,
    provider: Option<&At<&str>>,
    json_key: Option<&At<&str>>,
    consumers: BTreeSet<Consumer>,
) -> Option<SecretSpec> {
    if !table.has("provider") {
        let given: Vec<String> = SECRETS_ALONE
            .into_iter()
            .filter(|entry| table.has(entry))
            .map(|entry| format!("`{entry}`"))
            .collect();
        table.refuse(
            &format!("has {}, as secrets do, and names no provider", given.join(" and ")),
            "`provider = \"github\"`: it is then kept in the secret leo/<environment>/github",
        );
    }
    if !table.has("consumers") {
        table.refuse(
            "goes to no container",
            "`consumers = [\"orchestrator\"]`, `[\"generator\"]`, or both: who gets the secret",
        );
    }
    let (name, span) = provider?;
    if let Err(problem) = form::check_provider(name) {
        table.wrong(span.clone(), "provider", problem.what(), &problem.wanted());
    }
    if let Some((text, span)) = json_key.filter(|(text, _)| !is_json_key(text)) {
        let what = if text.contains(':') { "holds a `:`" } else { "is not a key that a container can name" };
        table.wrong(span.clone(), "json_key", what, "at most 64 letters, digits, `_`, `-` and `.`: `token`");
    }
    let json_key = json_key.map_or(table.name, |(text, _)| text);
    Some(SecretSpec { provider: (*name).to_owned(), json_key: json_key.to_owned(), consumers })
}

/// Amazon ECS, "Secret", `valueFrom`: `<ARN>:<JSON key>:<version stage>:<version id>`.
fn is_json_key(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn consumers(table: &Table<'_>) -> BTreeSet<Consumer> {
    let Some(names) = table.texts("consumers") else { return BTreeSet::new() };
    if names.is_empty() {
        let hint = "`[\"orchestrator\"]`, `[\"generator\"]`, or both; a key that nobody needs is left out";
        table.wrong(table.place("consumers"), "consumers", "is empty", hint);
    }
    let known = || Consumer::ALL.into_iter().map(Consumer::name);
    let mut consumers = BTreeSet::new();
    for (name, span) in names {
        if let Some(consumer) = Consumer::ALL.into_iter().find(|consumer| consumer.name() == name) {
            consumers.insert(consumer);
        } else {
            let what = format!("names \"{}\", which is no container", shown(name));
            table.wrong(span, "consumers", &what, &instead(name, known()));
        }
    }
    consumers
}

fn shapes(table: &Table<'_>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (name, span) in table.texts("shapes").unwrap_or_default() {
        if let Ok(shape) = Shape::parse(name) {
            shapes.push(shape);
        } else {
            let what = format!("names \"{}\", which is no shape", shown(name));
            table.wrong(span, "shapes", &what, &instead(name, Shape::ALL.into_iter().map(Shape::name)));
        }
    }
    shapes
}

fn file(table: &Table<'_>, secret: bool) -> FilePlace {
    let usual = if secret { FilePlace::Env } else { FilePlace::Defaults };
    let Some((name, span)) = table.text("file") else { return usual };
    let places = [FilePlace::Defaults, FilePlace::Env, FilePlace::Any];
    match places.into_iter().find(|place| place.name() == name) {
        Some(place) if secret && place != FilePlace::Env => {
            let hint = "leave it out: a secret's file is `env`, which is never committed";
            table.wrong(span, "file", &format!("can't be \"{name}\": it is a secret"), hint);
            usual
        }
        Some(place) => place,
        None => {
            let hint = "`\"defaults\"` for env/.env.defaults, `\"env\"` for env/.env, `\"any\"` for both";
            table.wrong(span, "file", &format!("can't be \"{}\"", shown(name)), hint);
            usual
        }
    }
}

fn help(table: &Table<'_>) -> String {
    if !table.has("help") {
        table.refuse("says nothing about itself", "`help = \"…\"`: one line on what it is");
    }
    table.text("help").map(|(text, _)| text.to_owned()).unwrap_or_default()
}

fn pattern(table: &Table<'_>) -> Option<Pattern> {
    let (text, span) = table.text("pattern")?;
    match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let what = format!("is not a regular expression: {error}");
            table.wrong(
                span,
                "pattern",
                &what,
                "for example 'Z[A-Z0-9]+', in single quotes: all of a value has to match",
            );
            None
        }
    }
}

/// The names of the types.
const TYPES: [&str; 11] = [
    "string",
    "integer",
    "bool",
    "url",
    "region",
    "arn",
    "cidr",
    "host-name",
    "account-id",
    "duration",
    "choice",
];

/// The type, with what only this type has.
fn kind(table: &Table<'_>) -> Kind {
    let name = match table.text("type") {
        Some((name, _)) => name,
        None if table.has("type") => {
            any_type(table);
            return Kind::String;
        }
        None => "string",
    };
    let kind = match name {
        "string" => Kind::String,
        "integer" => bounds(table),
        "bool" => Kind::Bool,
        "url" => Kind::Url,
        "region" => Kind::Region,
        "arn" => Kind::Arn { service: service(table) },
        "cidr" => Kind::Cidr,
        "host-name" => Kind::HostName,
        "account-id" => Kind::AccountId,
        "duration" => Kind::Duration,
        "choice" => choices(table),
        other => {
            let what = format!("can't be \"{}\"", shown(other));
            table.wrong(table.place("type"), "type", &what, &instead(other, TYPES));
            any_type(table);
            return Kind::String;
        }
    };
    for (entry, of) in [("min", "integer"), ("max", "integer"), ("service", "arn"), ("choices", "choice")] {
        if table.has(entry) && of != name {
            let what = format!("goes with `type = \"{of}\"` alone");
            table.wrong(table.name_of(entry), entry, &what, "delete it, or correct the type");
            table.known(entry);
        }
    }
    kind
}

/// Whatever else there is may go with the type that was meant.
fn any_type(table: &Table<'_>) {
    _ = (table.number("min"), table.number("max"), table.text("service"), table.texts("choices"));
}

fn bounds(table: &Table<'_>) -> Kind {
    let (min, max) = (table.number("min"), table.number("max"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        table.wrong(
            table.place("max"),
            "max",
            &format!("is less than `min`, {min}"),
            "the larger one is `max`",
        );
    }
    Kind::Integer { min, max }
}

fn service(table: &Table<'_>) -> Option<String> {
    let (text, span) = table.text("service")?;
    if !form::is_service(text) {
        let hint = "as in the ARN, in lower case: `acm`";
        table.wrong(span, "service", "is not the short name of a service", hint);
    }
    Some(text.to_owned())
}

fn choices(table: &Table<'_>) -> Kind {
    if !table.has("choices") {
        table.refuse("is a choice without choices", "`choices = [\"info\", \"debug\"]`");
    }
    let choices = table.texts("choices");
    if choices.as_ref().is_some_and(Vec::is_empty) {
        table.wrong(
            table.place("choices"),
            "choices",
            "is empty",
            "the words that it can be: `[\"info\", \"debug\"]`",
        );
    }
    let choices = choices.unwrap_or_default();
    Kind::Choice(choices.into_iter().map(|(text, _)| text.to_owned()).collect())
}

/// The word that was probably meant, or all of them.
fn instead<'w>(word: &str, words: impl IntoIterator<Item = &'w str> + Clone) -> String {
    if let Some(near) = nearest(word, words.clone()) {
        return format!("did you mean `{near}`?");
    }
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    format!("it can be {}", words.join(", "))
}
