use std::borrow::Cow;

use codespan_reporting::{
    diagnostic::{self as codespan, Label},
    files::{self, Error, Files},
    term::{self, Config, termcolor::Buffer},
};

use crate::{Diagnostic, Location, Severity, first_of_each_file};

/// Whether ANSI colours may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// To a terminal.
    Ansi,
    /// To anything else.
    Plain,
}

/// Several diagnostics, errors first, then by place, an empty line between them; of one file at most
/// [`MOST_OF_A_FILE`](crate::MOST_OF_A_FILE) and how many more there are.
pub fn render_all(diagnostics: &[Diagnostic], colours: Colours) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| {
        let place = diagnostic.location.as_ref().map(|at| (at.path.as_str(), at.line, at.columns.start));
        (diagnostic.severity, place)
    });
    let first = first_of_each_file(sorted.into_iter().map(Cow::Borrowed).collect(), Cow::as_ref, Cow::Owned);
    let texts: Vec<String> = first.iter().map(|diagnostic| render(diagnostic, colours)).collect();
    texts.join("\n")
}

/// One diagnostic: the message, the place with its line, what was found, and the fix; ends with a line feed.
pub fn render(diagnostic: &Diagnostic, colours: Colours) -> String {
    let mut shown = codespan::Diagnostic::new(match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
    })
    .with_message(printable(&diagnostic.message));
    if let Some(location) = &diagnostic.location {
        shown.labels.push(Label::primary((), location.columns.clone()));
    }
    if let Some(found) = &diagnostic.found {
        shown.notes.push(format!("found {}", printable(found)));
    }
    let mut buffer = match colours {
        Colours::Ansi => Buffer::ansi(),
        Colours::Plain => Buffer::no_color(),
    };
    let file = Line(
        diagnostic.location.clone().map(|location| Location { text: blanked(&location.text), ..location }),
    );
    let block = match term::emit_to_write_style(&mut buffer, &Config::default(), &file, &shown) {
        Ok(()) => String::from_utf8_lossy(buffer.as_slice()).into_owned(),
        // A label that doesn't fit its line: the message matters more than the picture.
        Err(_) => format!("error: {}\n", printable(&diagnostic.message)),
    };
    let mut text = block.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    if let Some(hint) = &diagnostic.hint {
        text.push_str("\nhint: ");
        text.push_str(&printable(hint));
    }
    text.push('\n');
    text
}

/// Without control characters: what input contained can't move the cursor or recolour a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The same for a line whose byte columns must stay where they are.
fn blanked(line: &str) -> String {
    let blank = |c: char| c.is_control() && c != '\t';
    line.chars()
        .flat_map(|c| {
            std::iter::repeat_n(if blank(c) { ' ' } else { c }, if blank(c) { c.len_utf8() } else { 1 })
        })
        .collect()
}

/// The one line of a location, as a file whose first line has the location's number.
struct Line(Option<Location>);

impl<'a> Files<'a> for Line {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, Error> {
        self.0.as_ref().map(|location| location.path.as_str()).ok_or(Error::FileMissing)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, Error> {
        self.0.as_ref().map(|location| location.text.as_str()).ok_or(Error::FileMissing)
    }

    fn line_index(&'a self, (): (), _byte: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn line_number(&'a self, (): (), _line: usize) -> Result<usize, Error> {
        self.0.as_ref().map(|location| location.line).ok_or(Error::FileMissing)
    }

    fn line_range(&'a self, (): (), line: usize) -> Result<std::ops::Range<usize>, Error> {
        let length = self.source(())?.len();
        if line == 0 { Ok(0..length) } else { Err(Error::LineTooLarge { given: line, max: 0 }) }
    }

    fn column_number(&'a self, (): (), _line: usize, byte: usize) -> Result<usize, Error> {
        let text = self.source(())?;
        Ok(files::column_index(text, 0..text.len(), byte) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceFile;

    fn certificate() -> Diagnostic {
        let file = SourceFile::new(
            "env/.env.defaults",
            "A=1\nLEO_CERTIFICATE_ARN=arn:aws:iam::123456789012:role/x\n",
        );
        Diagnostic::error("`LEO_CERTIFICATE_ARN` is not an ACM certificate ARN")
            .at(file.location(24..56))
            .found("an IAM role")
            .hint("copy it from Certificate Manager: arn:aws:acm:<region>:<account>:certificate/<id>")
    }

    #[test]
    fn the_whole_of_it() {
        insta::assert_snapshot!(render(&certificate(), Colours::Plain), @r"
        error: `LEO_CERTIFICATE_ARN` is not an ACM certificate ARN
          ┌─ env/.env.defaults:2:21
          │
        2 │ LEO_CERTIFICATE_ARN=arn:aws:iam::123456789012:role/x
          │                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          │
          = found an IAM role
        hint: copy it from Certificate Manager: arn:aws:acm:<region>:<account>:certificate/<id>
        ");
    }

    #[test]
    fn without_a_place() {
        let warning = Diagnostic::warning("`GITHUB_TOKEN` in the process environment is not read")
            .hint("use the other");
        insta::assert_snapshot!(render(&warning, Colours::Plain), @r"
        warning: `GITHUB_TOKEN` in the process environment is not read
        hint: use the other
        ");
    }

    #[test]
    fn errors_come_first_and_by_place() {
        let at = |path: &str, line| {
            Diagnostic::error(format!("{path} {line}")).at(Location::hidden(path, line, "x"))
        };
        let all = [Diagnostic::warning("a warning"), at("b", 1), at("a", 10), at("a", 9)];
        let text = render_all(&all, Colours::Plain);
        let order: Vec<&str> = text.lines().filter(|line| line.contains(": ")).collect();
        assert_eq!(order, ["error: a 9", "error: a 10", "error: b 1", "warning: a warning"]);
    }

    #[test]
    fn colours_are_only_written_when_asked_for() {
        assert!(render(&certificate(), Colours::Ansi).contains('\u{1b}'));
        assert!(!render(&certificate(), Colours::Plain).contains('\u{1b}'));
    }

    #[test]
    fn input_can_not_steer_the_terminal() {
        let mut location = Location::hidden("a", 1, "x = \"\u{1b}[31m\"");
        location.columns = 4..6;
        let hostile = Diagnostic::error("\u{1b}[2J").found("\r\u{7}").hint("\u{9b}").at(location);
        assert!(!render(&hostile, Colours::Plain).contains(['\u{1b}', '\r', '\u{7}', '\u{9b}']));
    }

    #[test]
    fn columns_that_do_not_fit_the_line_keep_the_message() {
        let mut location = Location::hidden("a", 1, "ü");
        location.columns = 1..9;
        assert!(
            render(&Diagnostic::error("the message").at(location), Colours::Plain).contains("the message")
        );
    }
}
