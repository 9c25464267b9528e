//! Names under which secrets are kept.

use std::ffi::OsStr;
use std::path::Path;

use super::Secret;

const ENV_FILE: Secret = Secret("an environment file");
const PRIVATE_KEY: Secret = Secret("a private key");
const KEY_STORE: Secret = Secret("a store of keys");
const CREDENTIALS: Secret = Secret("a tool's saved credentials");
const CLOUD: Secret = Secret("a cloud's saved credentials");
const STATE: Secret = Secret("Terraform's state, which holds secrets");

/// Folders that are nothing but secrets.
const FOLDERS: &[(&str, Secret)] = &[
    (".aws", CLOUD),
    (".azure", CLOUD),
    (".gnupg", Secret("GnuPG's keys")),
    (".ssh", Secret("SSH's keys and hosts")),
];

/// Files by their whole name.
const FILES: &[(&str, Secret)] = &[
    (".env", ENV_FILE),
    (".git-credentials", CREDENTIALS),
    (".netrc", CREDENTIALS),
    ("_netrc", CREDENTIALS),
    (".pgpass", CREDENTIALS),
    (".pypirc", CREDENTIALS),
    (".dockercfg", CREDENTIALS),
    (".s3cfg", CLOUD),
    (".boto", CLOUD),
    (".vault-token", CREDENTIALS),
    ("id_rsa", PRIVATE_KEY),
    ("id_dsa", PRIVATE_KEY),
    ("id_ecdsa", PRIVATE_KEY),
    ("id_ecdsa_sk", PRIVATE_KEY),
    ("id_ed25519", PRIVATE_KEY),
    ("id_ed25519_sk", PRIVATE_KEY),
];

/// Files by their folder's and their own name.
const FILES_IN: &[(&str, &str, Secret)] = &[
    (".cargo", "credentials", CREDENTIALS),
    (".cargo", "credentials.toml", CREDENTIALS),
    (".claude", ".credentials.json", CREDENTIALS),
    (".docker", "config.json", CREDENTIALS),
    (".fly", "config.yml", CREDENTIALS),
    (".kube", "config", CREDENTIALS),
    (".supabase", "access-token", CREDENTIALS),
    ("gcloud", "application_default_credentials.json", CLOUD),
    ("gcloud", "credentials.db", CLOUD),
    ("gh", "hosts.yml", CREDENTIALS),
];

/// Files by how their name ends. A `.pem` or `.key` is judged by what is in it: most are certificates.
const ENDINGS: &[(&str, Secret)] = &[
    (".jks", KEY_STORE),
    (".kdbx", KEY_STORE),
    (".keystore", KEY_STORE),
    (".p12", KEY_STORE),
    (".pfx", KEY_STORE),
    (".ppk", PRIVATE_KEY),
    (".tfstate", STATE),
    (".tfstate.backup", STATE),
];

/// What a file is by its name and its folders' names alone, and what that is the name of: the file, or a folder that
/// it is in.
pub(crate) fn named_secret(path: &Path) -> Option<(&Path, Secret)> {
    let lower = |part: Option<&OsStr>| part.map(|part| part.to_string_lossy().to_ascii_lowercase());
    let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
    folders.reverse();
    for folder in folders {
        let name = lower(folder.file_name());
        if let Some(&(_, what)) = FOLDERS.iter().find(|(own, _)| name.as_deref() == Some(own)) {
            return Some((folder, what));
        }
    }
    let name = lower(path.file_name())?;
    let folder = lower(path.parent().and_then(Path::file_name)).unwrap_or_default();
    of_environment(&name)
        .or_else(|| FILES.iter().find(|(own, _)| *own == name).map(|&(_, what)| what))
        .or_else(|| {
            let mut there = FILES_IN.iter().filter(|(place, own, _)| *place == folder && *own == name);
            there.next().map(|&(.., what)| what)
        })
        .or_else(|| ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|&(_, what)| what))
        .map(|what| (path, what))
}

/// `.env.*`, but for the two kinds that are made to be committed.
fn of_environment(name: &str) -> Option<Secret> {
    let suffix = name.strip_prefix(".env.")?;
    (!matches!(suffix, "defaults" | "example")).then_some(ENV_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for (path, wanted) in [
            (".env", Some((".env", "an environment file"))),
            ("a/b/.env", Some(("a/b/.env", "an environment file"))),
            (".env.local", Some((".env.local", "an environment file"))),
            (".env.production", Some((".env.production", "an environment file"))),
            (".ENV", Some((".ENV", "an environment file"))),
            (".env.defaults", None),
            (".env.example", None),
            ("env", None),
            (".envrc.md", None),
            (".environment", None),
            ("config.env.ts", None),
            (".aws/credentials", Some((".aws", "a cloud's saved credentials"))),
            ("home/.aws/cli/cache/x.json", Some(("home/.aws", "a cloud's saved credentials"))),
            (".aws", None),
            (".ssh/id_ed25519.pub", Some((".ssh", "SSH's keys and hosts"))),
            ("id_rsa", Some(("id_rsa", "a private key"))),
            ("id_rsa.pub", None),
            ("deploy/id_ed25519", Some(("deploy/id_ed25519", "a private key"))),
            (".git-credentials", Some((".git-credentials", "a tool's saved credentials"))),
            (".netrc", Some((".netrc", "a tool's saved credentials"))),
            (".docker/config.json", Some((".docker/config.json", "a tool's saved credentials"))),
            ("config.json", None),
            (".cargo/credentials.toml", Some((".cargo/credentials.toml", "a tool's saved credentials"))),
            (".cargo/config.toml", None),
            ("certs/server.p12", Some(("certs/server.p12", "a store of keys"))),
            ("certs/ca.pem", None),
            ("terraform.tfstate", Some(("terraform.tfstate", "Terraform's state, which holds secrets"))),
            ("src/ssh/mod.rs", None),
        ] {
            let found =
                named_secret(Path::new(path)).map(|(what, secret)| (what.to_str().unwrap(), secret.0));
            assert_eq!(found, wanted, "{path}");
        }
    }
}
