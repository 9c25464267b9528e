//! Names under which secrets are kept.

use super::Secret;

const ENV_FILE: Secret = Secret("an environment file");
const PRIVATE_KEY: Secret = Secret("a private key");
const KEY_STORE: Secret = Secret("a store of keys");
const CREDENTIALS: Secret = Secret("a tool's saved credentials");
const CLOUD: Secret = Secret("a cloud's saved credentials");
const STATE: Secret = Secret("Terraform's state, which holds secrets");

/// Folders that are nothing but secrets.
const FOLDERS: &[(&str, Secret)] =
    &[(".aws", CLOUD), (".azure", CLOUD), (".gnupg", PRIVATE_KEY), (".ssh", PRIVATE_KEY)];

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

/// What a path is by its name alone, and which leading part of it (in bytes) is meant: the file, or a folder around
/// it. `is_folder` says what `path` is.
pub(crate) fn named_secret(path: &str, is_folder: bool) -> Option<(usize, Secret)> {
    let lower = path.to_ascii_lowercase();
    let mut end = 0;
    let mut folder = "";
    let mut parts = lower.split('/').peekable();
    while let Some(part) = parts.next() {
        end += part.len();
        if parts.peek().is_some() || is_folder {
            if let Some(&(_, what)) = FOLDERS.iter().find(|(name, _)| *name == part) {
                return Some((end, what));
            }
        } else {
            return file(folder, part).map(|what| (end, what));
        }
        folder = part;
        end += 1;
    }
    None
}

fn file(folder: &str, name: &str) -> Option<Secret> {
    if let Some(suffix) = name.strip_prefix(".env.") {
        return (!matches!(suffix, "defaults" | "example")).then_some(ENV_FILE);
    }
    let by_name = FILES.iter().find(|(own, _)| *own == name).map(|&(_, what)| what);
    let by_place = || {
        let is = |&&(place, own, _): &&(&str, &str, Secret)| place == folder && own == name;
        FILES_IN.iter().find(is).map(|&(.., what)| what)
    };
    let by_ending = || ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|&(_, what)| what);
    by_name.or_else(by_place).or_else(by_ending)
}
