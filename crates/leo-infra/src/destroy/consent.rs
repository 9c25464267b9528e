//! Whose word is needed for what.

use crate::{ask, failure::Problem};
use leo_aws::FailureKind;

/// What was said on the command line, and whether more can be asked.
pub(crate) struct Consent<'a> {
    /// The name that stands for deleting data.
    pub(crate) word: &'a str,
    pub(crate) delete_data: bool,
    /// `--confirm`
    pub(crate) confirmed: Option<&'a str>,
    pub(crate) yes: bool,
    pub(crate) may_ask: bool,
}

impl Consent<'_> {
    /// Refuses, before anything is sent, what can't be agreed to.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let word = self.word;
        match self.confirmed {
            Some(typed) if typed != word => Err(Problem::new(
                FailureKind::Usage,
                format!("destroy `{word}`: --confirm says `{typed}`; nothing was changed"),
            )
            .hint(format!("add --confirm {word} where that is what you want to lose"))),
            Some(_) => Ok(()),
            None if self.may_ask || (self.yes && !self.delete_data) => Ok(()),
            None if self.delete_data => Err(Problem::new(
                FailureKind::Failed,
                format!("destroy `{word}` with its data: there is no terminal to type its name on; nothing was changed"),
            )
            .hint(format!("add --confirm {word}; --yes is not enough for this"))),
            None => Err(ask::needs_terminal("destroy")),
        }
    }

    /// Asks what was not said yet. Anything but the answer that is wanted, and the end of input, is no.
    pub(crate) fn given(&self, title: &str) -> Result<bool, Problem> {
        self.answered(ask::line, title)
    }

    fn answered(
        &self,
        ask: impl FnOnce(&str) -> Result<String, Problem>,
        title: &str,
    ) -> Result<bool, Problem> {
        if self.delete_data {
            if self.confirmed == Some(self.word) {
                return Ok(true);
            }
            let typed = ask(&format!("type `{}` to destroy {title} with its data: ", self.word))?;
            return Ok(typed == self.word);
        }
        if self.yes {
            return Ok(true);
        }
        let answer = ask(&format!("destroy {title}? [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Consent<'static> =
        Consent { word: "dev", delete_data: false, confirmed: None, yes: false, may_ask: false };

    /// The exit code of being refused, or the answer to what is asked.
    fn outcome(consent: &Consent<'_>, typed: &str) -> Result<bool, u8> {
        consent.check().map_err(|problem| problem.kind.exit_code())?;
        Ok(consent.answered(|_| Ok(typed.to_owned()), "environment `dev`").expect("is asked"))
    }

    #[test]
    fn data_takes_its_name_and_nothing_less() {
        let terminal = Consent { may_ask: true, ..PLAIN };
        assert_eq!(outcome(&terminal, "y"), Ok(true));
        assert_eq!(outcome(&terminal, ""), Ok(false), "the end of input is no");
        assert_eq!(outcome(&PLAIN, "y"), Err(1));
        assert_eq!(outcome(&Consent { yes: true, ..PLAIN }, ""), Ok(true));

        let data = Consent { delete_data: true, yes: true, ..PLAIN };
        assert_eq!(outcome(&data, "dev"), Err(1), "--yes is not enough");
        assert_eq!(outcome(&Consent { confirmed: Some("dev"), yes: false, ..data }, ""), Ok(true));
        assert_eq!(outcome(&Consent { confirmed: Some("prod"), ..data }, "dev"), Err(2));

        let data = Consent { delete_data: true, yes: true, ..terminal };
        assert_eq!(outcome(&data, "y"), Ok(false), "nor is a yes");
        assert_eq!(outcome(&data, ""), Ok(false));
        assert_eq!(outcome(&data, "dev"), Ok(true));
    }
}
