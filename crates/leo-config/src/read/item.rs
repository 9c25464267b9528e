use std::{fmt, ops::RangeInclusive, str::FromStr};

use leo_env::document::type_of;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::report::{Place, Report};
use crate::InvalidValue;

/// A value of `leo.toml` at its place. A method that wants another type than is there reports that and gives `None`.
pub(crate) struct Item<'a> {
    report: &'a Report<'a>,
    path: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Item<'a> {
    pub(crate) fn new(report: &'a Report<'a>, path: String, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { report, path, value }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn place(&self) -> Place {
        Place::Toml { path: self.path.clone(), span: self.value.span() }
    }

    /// Reports what is wrong with the value.
    pub(crate) fn wrong<T>(&self, error: &InvalidValue) -> Option<T> {
        self.report.wrong(&self.place(), error);
        None
    }

    /// The value as a checked one.
    pub(crate) fn checked<T>(&self, result: Result<T, InvalidValue>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => self.wrong(&error),
        }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(text) if text.contains("{{resolve:") => self.wrong(&InvalidValue::new(
                "is a dynamic reference",
                "CloudFormation would replace it by the secret itself, readable in the template's resources: a secret is \
                 declared in infra/env.toml",
            )),
            DeValue::String(text) => Some(text.as_ref()),
            other => self.mistyped("a text", "in double quotes", other),
        }
    }

    /// A text that a type takes.
    pub(crate) fn parse<T: FromStr<Err = InvalidValue>>(&self) -> Option<T> {
        self.text().and_then(|text| self.checked(text.parse()))
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
        self.wrong(&InvalidValue::new(
            format!("can't be \"{text}\""),
            format!("it is {}", words.join(" or ")),
        ))
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.mistyped("`true` or `false`", "without quotes", other),
        }
    }

    /// A whole number in a range.
    pub(crate) fn number<N>(&self, range: &RangeInclusive<N>) -> Option<N>
    where
        N: Copy + fmt::Display + TryFrom<i64> + PartialOrd,
    {
        let DeValue::Integer(integer) = self.value.get_ref() else {
            return self.mistyped("a whole number", "without quotes", self.value.get_ref());
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if let Some(good) =
            number.and_then(|number| N::try_from(number).ok()).filter(|good| range.contains(good))
        {
            return Some(good);
        }
        let hint = format!("a whole number from {} to {}", range.start(), range.end());
        self.wrong(&InvalidValue::new("is out of range", hint).found(integer.to_string()))
    }

    /// A number of 1024ths that is written in whole and decimal units: 0.25 is 256.
    pub(crate) fn thousandths(&self) -> Option<u32> {
        let written = match self.value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            other => return self.mistyped("a number", "without quotes: 0.25, 0.5, 1, 2", other),
        };
        let units = written.parse::<f64>().ok().map(|number| number * 1024.0);
        let whole = units.filter(|units| units.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(units));
        if let Some(whole) = whole {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and in range"
            )]
            return Some(whole as u32);
        }
        let hint = "a number such as 0.25, 0.5, 1, 2, 4";
        self.wrong(&InvalidValue::new("is not a size that Fargate offers", hint).found(written))
    }

    /// The elements of a list, each at its own place.
    pub(crate) fn list(&self) -> Option<Vec<Item<'a>>> {
        match self.value.get_ref() {
            DeValue::Array(array) => Some(
                array
                    .iter()
                    .map(|value| Item { report: self.report, path: self.path.clone(), value })
                    .collect(),
            ),
            other => self.mistyped("a list", "in brackets: `[\"a\", \"b\"]`", other),
        }
    }

    pub(crate) fn table(&self) -> Option<&'a DeTable<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => self.mistyped(
                "a table",
                &format!("a line `[{}]`, and its settings under it", self.path),
                other,
            ),
        }
    }

    fn mistyped<T>(&self, wanted: &str, how: &str, found: &DeValue<'_>) -> Option<T> {
        self.wrong(&InvalidValue::new(format!("is not {wanted}"), how).found(type_of(found)))
    }
}
