//! Schemas of the environment files.

use proptest::{
    option,
    prelude::{BoxedStrategy, Just, Strategy, any},
    sample::select,
};

/// The settings of a schema.
pub(super) const SETTINGS: &str = "[AWS_REGION]\ntype = 'region'\nrequired = true\nhelp = 'h'\n\n\
    [LEO_ENVIRONMENT]\nfile = 'any'\nhelp = 'h'\n\n[AWS_ACCOUNT_ID]\ntype = 'account-id'\nhelp = 'h'\n\n\
    [AWS_PROFILE]\nfile = 'any'\nhelp = 'h'\n\n[LEO_DOMAIN_NAME]\ntype = 'host-name'\nhelp = 'h'\n\n\
    [LEO_CERTIFICATE_ARN]\ntype = 'arn'\nservice = 'acm'\nhelp = 'h'\n\n[LEO_HOSTED_ZONE_ID]\nhelp = 'h'\n\n";

/// The secrets of a schema: several providers, of one or more keys, for one of the containers or both.
pub(super) fn secrets() -> BoxedStrategy<String> {
    let consumers = || select(vec!["['orchestrator']", "['generator']", "['orchestrator', 'generator']"]);
    let key = |name: &str, provider: &str, rest: &str| {
        format!("[{name}]\nprovider = '{provider}'\nhelp = 'h'\n{rest}\n\n")
    };
    let one = move |name: &'static str, provider: &'static str| {
        option::of((consumers(), any::<bool>())).prop_map(move |given| match given {
            Some((consumers, own_key)) => {
                let json_key = if own_key { "" } else { "\njson_key = 'token'" };
                key(name, provider, &format!("consumers = {consumers}{json_key}"))
            }
            None => String::new(),
        })
    };
    let supabase = option::of(Just(["SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"])).prop_map(move |names| {
        names
            .into_iter()
            .flatten()
            .map(|name| key(name, "supabase", "consumers = ['orchestrator']"))
            .collect()
    });
    let two = option::of(consumers()).prop_map(move |given| match given {
        Some(consumers) => ["FLY_API_TOKEN", "FLY_ORG"]
            .map(|name| key(name, "flyio", &format!("consumers = {consumers}")))
            .concat(),
        None => String::new(),
    });
    (one("GITHUB_TOKEN", "github"), one("MODEL_B_KEY", "model-b"), two, supabase)
        .prop_map(|(one, other, two, supabase): (String, String, String, String)| {
            [one, other, two, supabase].concat()
        })
        .boxed()
}
