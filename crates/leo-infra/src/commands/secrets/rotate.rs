use super::{
    Place, Secrets,
    then::{Then, Told, finish},
};
use crate::{
    ask,
    commands::init::refuse_published,
    failure::{Failure, Problem},
    interrupt,
};
use leo_aws::FailureKind;
use leo_config::SecretKey;
use leo_diagnostic::nearest;
use leo_env::{Access, EnvFile, Origin, Place as At, Schema, Secret, Source, schema::KeySpec};
use leo_project::Project;
use leo_secrets::{SecretPlan, rotate};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read},
    process::ExitCode,
};

/// Give one key of a secret a new value
///
/// It is read from the terminal, without being shown, or from stdin. The other keys stay as they are, byte for byte.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key, by its name in the environment files: GITHUB_TOKEN
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    place: Place,
    /// Also write it into the environment file that secrets are read from, once Secrets Manager has it
    #[arg(long)]
    write_env: bool,
    /// Then deploy, with the images that run: tasks that have the old value are started anew
    #[arg(long)]
    deploy: bool,
    /// Do not ask before that deploy; needed where the value comes from stdin
    #[arg(long, short, requires = "deploy")]
    yes: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// The longest value that is read, in bytes: what a whole secret may have (PutSecretValue, "SecretString").
const LONGEST: usize = 65_536;

pub(crate) async fn run(args: Args) -> ExitCode {
    let told = Box::pin(rotate_it(&args)).await;
    finish(told, &args.place, args.then(), args.json).await
}

impl Args {
    fn then(&self) -> Then {
        Then { deploy: self.deploy, yes: self.yes }
    }
}

fn interrupted(key: &str) -> Problem {
    let message = format!("rotate `{key}`: it was interrupted, and may have its new value");
    Problem::new(FailureKind::Failed, message)
        .hint("cargo xtask secrets status tells when it was last changed")
}

async fn rotate_it(args: &Args) -> Result<Told, Failure> {
    args.then().check("secrets rotate")?;
    if args.write_env && !args.place.with_values() {
        let message = "write the new value into an environment file: with --local none is opened";
        return Err(Problem::new(FailureKind::Usage, message).hint("add --with-secrets").into());
    }
    let project = args.place.load()?;
    let spec = declared(&project.schema, &args.key)?.clone();
    let secrets = Secrets::reach(project, &args.place).await?;
    let (plan, key) = planned(&secrets, &args.key)?;
    let value = new_value(&spec, &secrets.place(), secrets.environment()).await?;
    // What can't be written there is said before AWS has it.
    let copy = if args.write_env { Some(Copy::of(&secrets.project, &args.key, &value)?) } else { None };
    let client = &secrets.target.secrets;
    let work = async { Ok(rotate(client, &plan, &key.json_key, &value).await.map_err(Problem::from)?) };
    // After a question, Ctrl-C ends nothing by itself.
    let rotated = tokio::select! {
        rotated = secrets.operation("secrets-rotate", |_| true, work) => rotated?,
        () = interrupt::first() => return Err(interrupted(&args.key).into()),
    };
    let (written, mut problem) = match copy.map(|copy| copy.write(&secrets.project)).transpose() {
        Ok(written) => (written, None),
        Err(error) => (None, Some(error.after_sending())),
    };
    let here = Here::of(&secrets, &args.key, &value, written.is_some());
    match &here {
        Here::Equal => problem = problem.or(secrets.keep(&rotated.seen).err()),
        Here::Stale(origin) => warn(args, origin),
        Here::Nothing => {}
    }
    let done = if rotated.changed {
        let then = if args.deploy { "" } else { "; running tasks get it with the next `cargo xtask deploy`" };
        format!("{}: `{}` has the new value{then}", rotated.name, args.key)
    } else {
        format!("{}: `{}` had this value already", rotated.name, args.key)
    };
    let text = match &written {
        Some(path) => format!("{done}\n{path} has it, too"),
        None => done,
    };
    let document = json!({
        "environment": secrets.environment(),
        "secret": rotated.name,
        "key": args.key,
        "changed": rotated.changed,
        "version": rotated.version,
        "written_file": written,
        "stale_file": here.stale().map(Origin::to_string),
    });
    let written = BTreeMap::from([(rotated.name, rotated.version)]);
    Ok(Told { text, document, failure: problem.map(Failure::from), written })
}

/// Says that something here still has another value.
fn warn(args: &Args, stale: &Origin) {
    let key = &args.key;
    let way = if stale.location.is_none() {
        "give it the new one, too"
    } else if args.write_env {
        "write the new one there, too"
    } else {
        "write the new one there, too (`--write-env` does)"
    };
    eprintln!("warning: {stale} still has another value of `{key}`: {way}");
}

/// The environment file with the new value in it, not written yet.
struct Copy(EnvFile);

impl Copy {
    fn of(project: &Project, key: &str, value: &Secret) -> Result<Self, Problem> {
        let environment = &project.config.environment.name;
        let own = project.env.has_environment_file();
        let path = if own { format!("{SHARED}.{environment}") } else { SHARED.to_owned() };
        refuse_published(&project.root, &path)?;
        let mut file = EnvFile::read(&project.root, &path)?;
        file.set(key, value.expose(), At::End, &[])?;
        Ok(Self(file))
    }

    /// Writes it, for its owner alone; its path.
    fn write(self, project: &Project) -> Result<String, Problem> {
        self.0.write(&project.root, Access::Private)?;
        Ok(self.0.path().to_owned())
    }
}

/// The file that holds secrets, unless the environment has one of its own.
const SHARED: &str = "env/.env";

/// The key as the schema has it.
fn declared<'a>(schema: &'a Schema, key: &str) -> Result<&'a KeySpec, Problem> {
    let problem = match schema.key(key) {
        Some(spec) if spec.secret.is_some() => return Ok(spec),
        Some(_) => Problem::new(FailureKind::Usage, format!("rotate `{key}`: it is no secret"))
            .hint("change it in env/.env.defaults, then deploy"),
        None => {
            let secrets: Vec<&str> = schema.secrets().map(|(spec, _)| spec.name.as_str()).collect();
            let hint = match nearest(key, secrets.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{} declares: {}", Schema::PATH, secrets.join(", ")),
            };
            Problem::new(FailureKind::Usage, format!("rotate `{key}`: no secret has this name")).hint(hint)
        }
    };
    Err(problem)
}

/// The secret that has the key, and what the key is called there.
fn planned(secrets: &Secrets, key: &str) -> Result<(SecretPlan, SecretKey), Problem> {
    let all = SecretPlan::all(&secrets.project.config);
    let mut found = all.into_iter().filter_map(|plan| {
        let key = plan.keys.iter().find(|found| found.variable == key)?.clone();
        Some((plan, key))
    });
    found.next().ok_or_else(|| {
        Problem::new(
            FailureKind::Usage,
            format!("rotate `{key}`: `{}` has no such secret", secrets.environment()),
        )
    })
}

/// Asks for the value, and checks it before it goes anywhere.
async fn new_value(spec: &KeySpec, place: &str, environment: &str) -> Result<Secret, Problem> {
    let value = if io::stdin().is_terminal() {
        ask::hidden(&format!("new value of {} in `{environment}` ({place}), not shown: ", spec.name)).await?
    } else {
        from(io::stdin().lock(), &spec.name)?
    };
    check(spec, value)
}

fn check(spec: &KeySpec, value: Secret) -> Result<Secret, Problem> {
    let name = &spec.name;
    if value.expose().is_empty() {
        let message = format!("read a new value of `{name}`: there is none; nothing was changed");
        return Err(Problem::new(FailureKind::Usage, message)
            .hint(format!("pipe it in, or type it: `pass show token | cargo xtask secrets rotate {name}`")));
    }
    match spec.check(value.expose()) {
        Ok(()) => Ok(value),
        Err(malformed) => {
            let message = format!("take the new value: `{name}` {malformed}; nothing was changed");
            Err(Problem::new(FailureKind::Usage, message).hint(format!("wanted: {}", malformed.wanted)))
        }
    }
}

/// All of the input, without the line end that programs and editors add.
fn from(input: impl Read, name: &str) -> Result<Secret, Problem> {
    // Never moved while it grows: nothing of it stays behind.
    let mut text = String::with_capacity(LONGEST + 1);
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    input.take(limit).read_to_string(&mut text).map_err(|error| unread(name, &error))?;
    if text.len() > LONGEST {
        let message = format!("read a new value of `{name}`: it is longer than {LONGEST} bytes");
        return Err(Problem::new(FailureKind::Usage, message));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

fn unread(name: &str, error: &io::Error) -> Problem {
    // The error of a text that is no UTF-8 does not quote it.
    Problem::new(FailureKind::Usage, format!("read a new value of `{name}`: {error}"))
}

/// What this machine has for the key, after the new value was written or not.
enum Here {
    /// Nothing.
    Nothing,
    /// The new value.
    Equal,
    /// Another one, from there: the next push would find that it was changed elsewhere.
    Stale(Origin),
}

impl Here {
    fn of(secrets: &Secrets, key: &str, value: &Secret, is_written: bool) -> Self {
        let found = secrets.project.env.secret(key);
        match found {
            // The process environment wins over the file; the file over a sibling's.
            Some(found) if is_written && found.origin.source != Source::Process => Self::Equal,
            Some(found) if found.secret.expose() == value.expose() => Self::Equal,
            Some(found) => Self::Stale(found.origin.clone()),
            None if is_written => Self::Equal,
            None => Self::Nothing,
        }
    }

    fn stale(&self) -> Option<&Origin> {
        match self {
            Self::Stale(origin) => Some(origin),
            Self::Nothing | Self::Equal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let text = "[GITHUB_TOKEN]\nprovider = \"github\"\nconsumers = [\"orchestrator\"]\nhelp = \"A token.\"\n\
                    shapes = [\"github-classic-token\"]\n[AWS_REGION]\ntype = \"region\"\nfile = \"defaults\"\n\
                    help = \"Where.\"\n";
        Schema::parse(Schema::PATH, text).expect("is one")
    }

    fn said<T>(result: Result<T, Problem>) -> String {
        match result {
            Ok(_) => "taken".to_owned(),
            Err(problem) => {
                format!("failed to {}\nhint: {}", problem.message, problem.hint.unwrap_or_default())
            }
        }
    }

    #[test]
    fn what_can_not_be_rotated_is_said_before_anything_is_asked_for() {
        let schema = schema();
        let spec = declared(&schema, "GITHUB_TOKEN").expect("is one");
        let said = [
            said(declared(&schema, "GITHUB_TOKENS")),
            said(declared(&schema, "AWS_REGION")),
            said(declared(&schema, "X")),
            said(check(spec, Secret::new(""))),
            said(check(spec, Secret::new("changeme-canary"))),
        ];
        insta::assert_snapshot!(said.join("\n\n"));
        assert!(!said.join("").contains("canary"));
    }

    #[test]
    fn a_value_from_stdin_loses_one_line_end_and_nothing_else() {
        for (input, value) in [("x\n", "x"), ("x\r\n", "x"), ("x", "x"), (" a\nb \n\n", " a\nb \n"), ("", "")]
        {
            assert_eq!(from(input.as_bytes(), "KEY").expect("reads").expose(), value);
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(said(from(long.as_bytes(), "KEY")).contains("longer than 65536 bytes"));
        assert!(said(from(&b"\xff\xfe"[..], "KEY")).contains("read a new value of `KEY`"));
    }
}
