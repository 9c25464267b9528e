//! Where others read an environment file otherwise: shells (`set -a; . env/.env`), `docker run --env-file`, and programs
//! that use `dotenvy` themselves.
//!
//! What each of them does is from `dotenvy`'s source, from POSIX ("Shell Command Language", 2.2 Quoting and 2.6 Word
//! Expansions) and from the Docker command line's `kvfile`; tests ask the real ones.

use leo_diagnostic::{Diagnostic, Location};

use crate::{
    file::{is_key, place, value, without_mark},
    line::{Content, Line, Mark, lines},
};

/// What Docker takes of a line: Go's `bufio.MaxScanTokenSize`.
const LONGEST_LINE: usize = 65_535;

/// Everything in a file that somebody reads otherwise than this tool: a warning each, and one for all of a file's line
/// ends. A file without any, and without errors, means one thing. Lines that can't be read at all are not among them.
pub fn differences(path: &str, text: &str) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let marked = text.len() > without_mark(text).len();
    if marked {
        findings.push(warning(
            ("the file begins with a byte order mark", "a shell takes it for a part of the first line"),
            "save it as UTF-8 without a mark (\"BOM\")",
            Location::hidden(path, 1, "<not shown>"),
        ));
    }
    let text = without_mark(text);
    if let Some(at) = text.find("\r\n") {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        findings.push(warning(
            ("the file has the line ends of Windows", "a shell puts a carriage return behind every value"),
            &format!("save it with LF, not CRLF: sed -i 's/\\r$//' {path}"),
            Location::hidden(path, line, "<not shown>"),
        ));
    }
    for (_, number) in text.lines().zip(1..).filter(|(line, _)| line.len() > LONGEST_LINE) {
        findings.push(warning(
            ("the line has more than 64 KiB", "`docker run --env-file` refuses the file"),
            "keep what is so long in a file of its own",
            Location::hidden(path, number, "<not shown>"),
        ));
    }
    for line in lines(text) {
        if let Content::Entry(written) = &line.content
            && is_key(written.key)
            && value(line.raw, written).is_some()
        {
            findings.extend(written.marks.iter().map(|mark| difference(path, &line, *mark)));
        }
    }
    findings
}

fn difference(path: &str, line: &Line<'_>, mark: Mark) -> Diagnostic {
    let said = (mark.message(), mark.otherwise());
    warning(said, mark.hint(), place(path, line))
}

fn warning((message, otherwise): (&str, &str), hint: &str, place: Location) -> Diagnostic {
    Diagnostic::warning(format!("{message}: {otherwise}")).at(place).hint(hint)
}

impl Mark {
    fn message(self) -> &'static str {
        match self {
            Self::Export => "`export` before the key",
            Self::SpaceBeforeEquals => "a space before `=`",
            Self::SpaceAfterEquals => "a space behind `=`",
            Self::CommentForValue => "a comment where the value should be",
            Self::NeedlessQuotes => "quotes that the value does not need",
            Self::Quotes => "a value that needs quotes",
            Self::EscapeInQuotes => "`\\n`, `\\'` or `\\ ` in double quotes",
            Self::PlainLineFeed => "`\\n` without quotes",
            Self::PlainEscape => "a backslash without quotes",
            Self::Backtick => "a backtick outside single quotes",
            Self::Operator => "`;`, `&`, `|`, `<`, `>`, `(` or `)` without quotes",
            Self::Tilde => "`~` without quotes",
            Self::Comment => "a comment behind the value",
            Self::TrailingSpace => "spaces at the end of the line",
            Self::SeveralLines => "a value over several lines",
            Self::Tab => "a tab in the line",
            Self::TypographicQuote => "a typographic quote where the value begins or ends",
            Self::Invisible => "a character in the value that can't be seen",
        }
    }

    /// Who reads it how.
    fn otherwise(self) -> &'static str {
        match self {
            Self::Export => "`docker run --env-file` refuses the file",
            Self::SpaceBeforeEquals => {
                "a shell takes the key for a command, and `docker run --env-file` refuses the file"
            }
            Self::SpaceAfterEquals => {
                "a shell takes the value for a command, and `docker run --env-file` keeps the space"
            }
            Self::CommentForValue => "a shell and `docker run --env-file` take it for the value",
            Self::NeedlessQuotes | Self::Quotes => "`docker run --env-file` keeps the quotes",
            Self::EscapeInQuotes => "a shell keeps the backslash, and `docker run --env-file` everything",
            Self::PlainLineFeed => {
                "here it is a line feed, for a shell it is `n`, and `docker run --env-file` keeps both characters"
            }
            Self::PlainEscape => "`docker run --env-file` keeps it",
            Self::Backtick => "a shell runs what is behind it as a command",
            Self::Operator => "a shell ends the value there, and runs or writes what follows",
            Self::Tilde => "a shell puts a home folder in its place",
            Self::Comment => "`docker run --env-file` takes it for a part of the value",
            Self::TrailingSpace => "`docker run --env-file` takes them for a part of the value",
            Self::SeveralLines => "`docker run --env-file` reads each line for itself",
            Self::Tab => "it looks like spaces and is kept where it is in a value",
            Self::TypographicQuote => "nobody takes it for a quote, and it is kept",
            Self::Invisible => "it looks like a space or like nothing, and is kept",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Export => "delete `export `; `set -a` makes a shell hand on what it reads",
            Self::SpaceBeforeEquals | Self::SpaceAfterEquals => "write `KEY=value` without spaces",
            Self::CommentForValue | Self::Comment => "put the comment into a line of its own",
            Self::NeedlessQuotes => "delete the quotes",
            Self::Quotes | Self::SeveralLines => {
                "here and in a shell it is right; give it to a container from a shell: `set -a; . <file>`, then \
                 `docker run -e KEY`"
            }
            Self::EscapeInQuotes | Self::PlainEscape | Self::Backtick | Self::Operator | Self::Tilde => {
                "put the value in single quotes: KEY='value'"
            }
            Self::PlainLineFeed => "put the value in single quotes, with a line end where one is meant",
            Self::TrailingSpace => "delete them",
            Self::Tab => "write a space, or nothing",
            Self::TypographicQuote => "delete it, or type `'` in its place",
            Self::Invisible => "type the value anew, if it came along when the value was copied",
        }
    }
}
