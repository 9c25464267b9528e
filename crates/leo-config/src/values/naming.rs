use leo_env::form::{self, is_label};

use crate::{InvalidValue, text::text};

/// The longest environment name.
///
/// The tightest name made from it is the bucket `leo-<environment>-apps-<account>-<region>`: S3 allows 63 characters, an
/// account has 12 and a region at most 20 ([`super::Region`]), which leaves 20. Sixteen leaves room in the names that
/// CloudFormation derives from the stack's (a load balancer's has 32 in all) for more than the environment.
const ENVIRONMENT_LENGTH: usize = 16;

text! {
    /// The name of an environment (`dev`, `prod`): 1 to 16 lower-case letters, digits and inner hyphens, a letter first.
    EnvironmentName, check_environment
}

text! {
    /// The name of a secret provider (`github`): it becomes the last part of the secret's name.
    ProviderName, check_provider
}

text! {
    /// The name of a CloudFormation stack: a letter, then letters, digits and hyphens, at most 128 characters
    /// (CreateStack, "StackName").
    StackName, check_stack
}

impl StackName {
    /// A name made of parts that were checked already.
    pub(crate) fn of(name: String) -> Self {
        Self(name)
    }
}

fn check_environment(text: &str) -> Result<(), InvalidValue> {
    let hint = format!(
        "1 to {ENVIRONMENT_LENGTH} lower-case letters, digits and inner hyphens, beginning with a letter: `dev`, `prod-eu`"
    );
    if !is_label(text, ENVIRONMENT_LENGTH) {
        return Err(InvalidValue::new("is not an environment name", hint));
    }
    if matches!(text, "defaults" | "example") {
        let problem = format!("can't be `{text}`, because `env/.env.{text}` is another file");
        return Err(InvalidValue::new(problem, "choose another name: `dev`, `staging`, `prod`"));
    }
    Ok(())
}

fn check_provider(text: &str) -> Result<(), InvalidValue> {
    form::check_provider(text).map_err(|problem| InvalidValue::new(problem.what(), problem.wanted()))
}

fn check_stack(text: &str) -> Result<(), InvalidValue> {
    let good = text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if good {
        Ok(())
    } else {
        Err(InvalidValue::new(
            "is not a stack name",
            "a letter, then letters, digits and hyphens, at most 128 characters",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names() {
        for good in ["a", "dev", "prod-eu", "e2e-0123456789ab"] {
            assert!(EnvironmentName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Dev",
            "1a",
            "-a",
            "a-",
            "a_b",
            "a.b",
            "../x",
            "seventeen-letters",
            "defaults",
            "example",
            "ä",
        ] {
            assert!(EnvironmentName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_provider_does_not_end_like_an_arn() {
        for good in ["github", "supabase-anon", "a-1234567"] {
            assert!(ProviderName::parse(good).is_ok(), "{good}");
        }
        for bad in ["my-github", "a-123456", "GitHub", "", "a-"] {
            assert!(ProviderName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_name_made_from_the_longest_environment_keeps_its_limit() {
        let environment = EnvironmentName::parse(&"e".repeat(ENVIRONMENT_LENGTH)).unwrap();
        let provider = ProviderName::parse(&"p".repeat(form::PROVIDER_LENGTH)).unwrap();
        for stack in
            [environment.foundation_stack(), environment.platform_stack(), crate::names::registry_stack()]
        {
            assert!(StackName::parse(stack.as_str()).is_ok(), "{stack}");
        }
        // The longest region that is accepted: 20 characters.
        let region = crate::Region::parse("abcdef-ghijk-lmnop-1").unwrap();
        assert_eq!(region.as_str().len(), 20);
        let account = crate::AccountId::parse("123456789012").unwrap();
        for prefix in [environment.apps_bucket_prefix(), crate::names::ARTIFACTS_BUCKET_PREFIX.to_owned()] {
            assert!(crate::names::bucket(&prefix, &account, &region).len() <= 63);
        }
        assert!(environment.secret(&provider).len() <= 512);
    }
}
