//! Names under which secrets are kept.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
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
/// it is in. Capitals don't matter. This is asked of every file at every look, so it allocates nothing.
pub(crate) fn named_secret(path: &Path) -> Option<(&Path, Secret)> {
    let bytes = path.as_os_str().as_bytes();
    let (mut folder, mut start): (&[u8], usize) = (b"", 0);
    for (end, _) in bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/') {
        folder = bytes.get(start..end)?;
        if let Some(&(_, what)) = FOLDERS.iter().find(|(own, _)| same(folder, own)) {
            return Some((Path::new(OsStr::from_bytes(bytes.get(..end)?)), what));
        }
        start = end + 1;
    }
    let name = bytes.get(start..)?;
    of_environment(name)
        .or_else(|| FILES.iter().find(|(own, _)| same(name, own)).map(|&(_, what)| what))
        .or_else(|| {
            let mut there = FILES_IN.iter().filter(|(place, own, _)| same(folder, place) && same(name, own));
            there.next().map(|&(.., what)| what)
        })
        .or_else(|| ENDINGS.iter().find(|(ending, _)| ends_with(name, ending)).map(|&(_, what)| what))
        .map(|what| (path, what))
}

/// `.env.*`, but for the two kinds that are made to be committed.
fn of_environment(name: &[u8]) -> Option<Secret> {
    let (start, suffix) = name.split_at_checked(".env.".len())?;
    let committed = same(suffix, "defaults") || same(suffix, "example");
    (same(start, ".env.") && !committed).then_some(ENV_FILE)
}

fn same(name: &[u8], own: &str) -> bool {
    name.eq_ignore_ascii_case(own.as_bytes())
}

fn ends_with(name: &[u8], ending: &str) -> bool {
    let start = name.len().checked_sub(ending.len());
    start.and_then(|start| name.get(start..)).is_some_and(|end| same(end, ending))
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
            (".Env.Production", Some((".Env.Production", "an environment file"))),
            (".Env.Example", None),
            ("a/.AWS/x", Some(("a/.AWS", "a cloud's saved credentials"))),
            (".Docker/Config.JSON", Some((".Docker/Config.JSON", "a tool's saved credentials"))),
            ("x/server.P12", Some(("x/server.P12", "a store of keys"))),
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
