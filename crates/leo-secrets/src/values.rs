use leo_env::{Env, Secret};

/// Where the values of missing secrets come from.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// From the environment files, or `LEO_SECRET_<KEY>` in the process environment.
    Environment(&'a Env),
    /// A marked dummy for every key: what the local target gets.
    Dummies,
}

impl Values<'_> {
    /// The value of one key.
    pub(crate) fn get(self, key: &str) -> Option<Secret> {
        match self {
            Self::Environment(env) => env.secret(key).map(|value| value.secret.clone()),
            Self::Dummies => Some(dummy_of(key)),
        }
    }
}

/// The marked dummy of a key.
pub(crate) fn dummy_of(key: &str) -> Secret {
    Secret::new(dummy(key))
}

/// A value that no service takes for a real one, and that still parses as what its name says.
fn dummy(key: &str) -> String {
    if key.ends_with("_URL") {
        // `.invalid` never resolves (RFC 2606).
        format!("https://local-dummy.invalid/{key}")
    } else {
        format!("local-dummy-{key}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use leo_config::SecretKey;
    use leo_env::SecretsPolicy;

    use super::*;
    use crate::look::whole;
    use crate::{Problem, SecretPlan, Wanted};

    fn plan(keys: &[&str]) -> SecretPlan {
        let keys =
            keys.iter().map(|&key| SecretKey { variable: key.to_owned(), json_key: key.to_lowercase() });
        SecretPlan { name: "leo/dev/x".into(), keys: keys.collect() }
    }

    fn object(plan: &SecretPlan, values: Values<'_>) -> Result<Secret, Vec<Problem>> {
        whole(&Wanted::of(plan, values)).map(crate::object::Object::into_secret)
    }

    #[test]
    fn an_object_has_exactly_the_keys_of_its_secret() {
        let file = "A='one \"two\" \\ three'\nB=other\nC=unasked\n";
        let read = |path: &str| {
            if path == "env/.env" { Ok(file.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        let env = Env::from_parts(read, [], None, SecretsPolicy::Read);
        let values = Values::Environment(&env);
        let parsed: BTreeMap<String, String> =
            serde_json::from_str(object(&plan(&["B", "A"]), values).unwrap().expose()).unwrap();
        assert_eq!(parsed.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parsed["a"], r#"one "two" \ three"#);

        let problems = object(&plan(&["A", "MISSING", "LOST"]), values).unwrap_err();
        let keys: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["`MISSING` of leo/dev/x has no value", "`LOST` of leo/dev/x has no value"]);

        let plans = [plan(&["A"]), plan(&["MISSING"]), plan(&["LOST"])];
        let blocked = crate::check_values(&plans, values).unwrap_err();
        assert_eq!(
            blocked.to_string(),
            "give every secret a value: `MISSING` of leo/dev/x has no value; `LOST` of leo/dev/x has no value"
        );
        assert_eq!(crate::check_values(&plans[..1], values), Ok(()));
    }

    #[test]
    fn dummies_say_that_they_are_dummies() {
        let object = object(&plan(&["GITHUB_TOKEN", "SUPABASE_URL"]), Values::Dummies).unwrap();
        assert_eq!(
            object.expose(),
            r#"{"github_token":"local-dummy-GITHUB_TOKEN","supabase_url":"https://local-dummy.invalid/SUPABASE_URL"}"#
        );
    }
}
