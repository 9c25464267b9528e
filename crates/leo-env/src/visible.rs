use leo_diagnostic::{Diagnostic, Location};

/// A location without its text where that holds what looks like a secret: whoever writes one into a place that is no
/// secret's by mistake doesn't want it on a screen and in a log too.
pub fn visible(location: Location) -> Location {
    if holds_secret(&location.text) { hidden(&location) } else { location }
}

/// A location without its text, but for the key that is set there.
pub fn hidden(location: &Location) -> Location {
    let name = location.text.split_once('=').map(|(name, _)| name.trim());
    let shown = match name.filter(|name| !holds_secret(name)) {
        Some(name) => format!("{name} = <not shown>"),
        None => "<not shown>".to_owned(),
    };
    Location::hidden(&location.path, location.line, &shown)
}

/// Whether a text holds a known token, or between its quotes and blanks what looks like a secret.
pub fn holds_secret(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`,=[]{}()".contains(c));
    !leo_token::find(text).is_empty()
        || words
            .filter(|word| !word.is_empty())
            .any(|word| leo_token::looks_secret(word).or_else(|| leo_token::describe(word)).is_some())
}

/// What to say in the place of `said`, by which a parser of command lines refuses one and repeats a part of it; `None`: that
/// holds no secret.
pub fn refused_argument(said: &str) -> Option<Diagnostic> {
    holds_secret(said).then(|| {
        Diagnostic::error("an argument is not taken, and not shown: it looks like a secret").hint(
            "revoke it: a command line is seen by every process and kept by the shell; a secret is asked for, or comes from \
             stdin",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        visible(Location {
            path: "a.toml".to_owned(),
            line: 1,
            columns: 0..text.len(),
            text: text.to_owned(),
        })
        .text
    }

    #[test]
    fn a_line_that_holds_a_token_is_its_key_alone() {
        let token = "ghp_Zz3q8Xw1Rb7Lk5Vt9Yc2Nd4Mf6Hg0Js1Pa3Q";
        assert_eq!(shown(&format!("region = \"{token}\" # of dev")), "region = <not shown>");
        assert_eq!(shown(token), "<not shown>");
        let plain = "certificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d\"";
        assert_eq!(shown(plain), plain);
    }

    #[test]
    fn a_refused_argument_that_looks_like_a_secret_is_not_repeated() {
        let token = "ghp_Zz3q8Xw1Rb7Lk5Vt9Yc2Nd4Mf6Hg0Js1Pa3Q";
        let said =
            format!("error: unexpected argument '{token}' found\n\nUsage: cargo xtask secrets rotate <KEY>");
        assert!(!format!("{:?}", refused_argument(&said).unwrap()).contains(token));
        assert_eq!(refused_argument(&said.replace(token, "--enviroment")), None);
    }
}
