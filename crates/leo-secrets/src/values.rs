use std::collections::BTreeMap;

use leo_env::{Env, Secret};

use crate::{Problem, SecretPlan};

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
    fn get(self, key: &str) -> Option<Secret> {
        match self {
            Self::Environment(env) => env.secret(key).map(|value| value.secret.clone()),
            Self::Dummies => Some(Secret::new(dummy(key))),
        }
    }

    /// The JSON object of a secret, with exactly its keys.
    ///
    /// # Errors
    /// A problem for each key that has no value.
    pub(crate) fn object(self, plan: &SecretPlan) -> Result<Secret, Vec<Problem>> {
        let mut values = BTreeMap::new();
        let mut problems = Vec::new();
        for key in &plan.keys {
            match self.get(key) {
                Some(value) => {
                    values.insert(key.as_str(), value);
                }
                None => problems.push(Problem::NoValue { secret: plan.name.clone(), key: key.clone() }),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let object = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), serde_json::Value::from(value.expose())))
            .collect::<serde_json::Map<_, _>>();
        Ok(Secret::new(serde_json::Value::Object(object).to_string()))
    }
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
    use std::io;

    use leo_env::SecretsPolicy;

    use super::*;

    fn plan(keys: &[&str]) -> SecretPlan {
        SecretPlan { name: "leo/dev/x".into(), keys: keys.iter().map(|&key| key.to_owned()).collect() }
    }

    #[test]
    fn an_object_has_exactly_the_keys_of_its_secret() {
        let file = "A='one \"two\" \\ three'\nB=other\nC=unasked\n";
        let read = |path: &str| {
            if path == "env/.env" { Ok(file.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
        };
        let env = Env::from_parts(read, [], None, SecretsPolicy::Read);
        let object = Values::Environment(&env).object(&plan(&["B", "A"]));
        let parsed: BTreeMap<String, String> = serde_json::from_str(object.unwrap().expose()).unwrap();
        assert_eq!(parsed.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(parsed["A"], r#"one "two" \ three"#);

        let problems = Values::Environment(&env).object(&plan(&["A", "MISSING", "LOST"])).unwrap_err();
        let keys: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["`MISSING` of leo/dev/x has no value", "`LOST` of leo/dev/x has no value"]);

        let plans = [plan(&["A"]), plan(&["MISSING"]), plan(&["LOST"])];
        let blocked = crate::check_values(&plans, Values::Environment(&env)).unwrap_err();
        assert_eq!(
            blocked.to_string(),
            "give every secret a value: `MISSING` of leo/dev/x has no value; `LOST` of leo/dev/x has no value"
        );
        assert_eq!(crate::check_values(&plans[..1], Values::Environment(&env)), Ok(()));
    }

    #[test]
    fn dummies_say_that_they_are_dummies() {
        let object = Values::Dummies.object(&plan(&["SUPABASE_URL", "GITHUB_TOKEN"])).unwrap();
        assert_eq!(
            object.expose(),
            r#"{"GITHUB_TOKEN":"local-dummy-GITHUB_TOKEN","SUPABASE_URL":"https://local-dummy.invalid/SUPABASE_URL"}"#
        );
    }
}
