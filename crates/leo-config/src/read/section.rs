use std::{cell::RefCell, collections::BTreeMap, fmt, ops::RangeInclusive};

use leo_diagnostic::{Diagnostic, nearest};
use leo_env::Schema;
use toml::de::{DeTable, DeValue};

use super::{
    item::Item,
    report::{Field, Place, Report},
};

/// A table of `leo.toml` together with the tables that override it, read key by key. Every key that was asked for is known;
/// the others are reported when the section is closed, which [`Section::table`] does.
pub(crate) struct Section<'a> {
    report: &'a Report<'a>,
    /// Lowest first.
    layers: Vec<Layer<'a>>,
    known: RefCell<Vec<&'static str>>,
}

#[derive(Clone)]
pub(crate) struct Layer<'a> {
    /// The table's path in the file; empty for the file itself.
    pub(crate) path: String,
    pub(crate) table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(report: &'a Report<'a>, layers: Vec<Layer<'a>>) -> Self {
        Self { report, layers, known: RefCell::new(Vec::new()) }
    }

    pub(crate) fn report(&self) -> &'a Report<'a> {
        self.report
    }

    /// Every value of a key, lowest layer first.
    fn items(&self, key: &'static str) -> Vec<Item<'a>> {
        self.known.borrow_mut().push(key);
        self.layers
            .iter()
            .filter_map(|layer| {
                let value = layer.table.get(key)?;
                Some(Item::new(self.report, join(&layer.path, key), value))
            })
            .collect()
    }

    /// The value of a key, or the default. Each layer's value is checked, the highest good one is taken.
    pub(crate) fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl Fn(&Item<'a>) -> Option<T>,
    ) -> Field<T> {
        let mut field = Field { value: default, place: None, wrong: false };
        for item in self.items(key) {
            match read(&item) {
                Some(value) => field = Field { value, place: Some(item.place()), wrong: field.wrong },
                None => field.wrong = true,
            }
        }
        field
    }

    /// The value of a key that has no default.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Item<'a>) -> Option<T>,
    ) -> Field<Option<T>> {
        self.or(key, None, |item| read(item).map(Some))
    }

    /// A whole number in a range.
    pub(crate) fn number<N>(&self, key: &'static str, default: N, range: RangeInclusive<N>) -> Field<N>
    where
        N: Copy + fmt::Display + TryFrom<i64> + PartialOrd,
    {
        self.or(key, default, |item| item.number(&range))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, key: &'static str, default: bool) -> Field<bool> {
        self.or(key, default, Item::flag)
    }

    /// A table under this one.
    pub(crate) fn table<T>(&self, key: &'static str, read: impl FnOnce(&Section<'a>) -> T) -> T {
        let section = Section::new(self.report, self.layers_of(key));
        let value = read(&section);
        section.close();
        value
    }

    /// The tables of a key, as layers.
    pub(crate) fn layers_of(&self, key: &'static str) -> Vec<Layer<'a>> {
        self.items(key)
            .into_iter()
            .filter_map(|item| Some(Layer { table: item.table()?, path: item.path().to_owned() }))
            .collect()
    }

    /// A table with free keys under this one: each key's value from the highest layer that has it.
    pub(crate) fn map<T>(
        &self,
        key: &'static str,
        read: impl Fn(&str, &Item<'a>) -> Option<T>,
    ) -> BTreeMap<String, Field<T>> {
        let mut map = BTreeMap::new();
        for layer in self.layers_of(key) {
            for (name, value) in layer.table {
                let item = Item::new(self.report, join(&layer.path, name.get_ref()), value);
                if let Some(value) = read(name.get_ref(), &item) {
                    map.insert(
                        name.get_ref().to_string(),
                        Field { value, place: Some(item.place()), wrong: false },
                    );
                }
            }
        }
        map
    }

    /// The keys that were asked for, for a caller who closes the layers one by one.
    pub(crate) fn into_known(self) -> Vec<&'static str> {
        self.known.into_inner()
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn close(self) {
        let known = self.known.into_inner();
        for layer in &self.layers {
            report_unknown(self.report, layer, &known);
        }
    }
}

/// Reports every key of a table that isn't known.
pub(crate) fn report_unknown(report: &Report<'_>, layer: &Layer<'_>, known: &[&'static str]) {
    for (key, value) in layer.table {
        let name = key.get_ref().as_ref();
        if known.contains(&name) {
            continue;
        }
        let what = if matches!(value.get_ref(), DeValue::Table(_)) { "table" } else { "setting" };
        let place = Place::Toml { path: join(&layer.path, name), span: key.span() };
        if name == "secrets" {
            report.add(Some(&place), secrets_moved(&place));
            continue;
        }
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "nothing goes here".to_owned(),
            None => format!("what goes here: {}", known.join(", ")),
        };
        report.add(Some(&place), Diagnostic::error(format!("`{place}` is not a {what}")).hint(hint));
    }
}

/// What is said of a setting with which secrets, or who gets them, would be declared here.
fn secrets_moved(place: &Place) -> Diagnostic {
    Diagnostic::error(format!("`{place}` is not a setting: secrets are declared in {}", Schema::PATH))
        .hint("there each key says its `provider` and its `consumers`, for all environments; delete it here")
}

/// The path of a key in a table.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
