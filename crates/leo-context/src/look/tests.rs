//! The hash against what a build can see of generated trees.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::testing::{Tree, grow, lines, walked};

/// A context with a Dockerfile and a list of its own, and a place for what is remembered.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn generated(random: &mut fastrand::Rng) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let root = place.root();
        fs::create_dir(&root).unwrap();
        grow(random, &root, 3);
        fs::write(place.dockerfile(), "FROM scratch\nCOPY . /\n").unwrap();
        place.write_list(random);
        place
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    fn dockerfile(&self) -> PathBuf {
        self.root().join("Dockerfile")
    }

    fn list(&self) -> PathBuf {
        self.root().join("Dockerfile.dockerignore")
    }

    /// One that leaves out itself and the Dockerfile in any case: what they hold is no part of the tree.
    fn write_list(&self, random: &mut fastrand::Rng) {
        loop {
            let text = format!("{}\nDockerfile\nDockerfile.dockerignore\n", lines(random));
            fs::write(self.list(), text).unwrap();
            if crate::ignore::IgnoreList::read(&self.list()).is_ok() {
                return;
            }
        }
    }

    fn tree(&self) -> Tree {
        walked(&self.root(), &self.list())
    }

    fn look(&self, cache: bool) -> Look {
        let cache = self.folder.path().join("cache").canonicalize().ok().filter(|_| cache);
        look(&Request {
            context: &self.root(),
            dockerfile: &self.dockerfile(),
            named: &BTreeMap::new(),
            build_args: &BTreeMap::new(),
            target: None,
            platform: "linux/amd64",
            recipe: "",
            allowed: &[],
            cache: cache.as_deref(),
            own_root: None,
            home: None,
        })
        .unwrap()
    }
}

/// Something that happens to a context.
fn disturb(place: &Place, random: &mut fastrand::Rng) {
    let everything: Vec<PathBuf> = walked(&place.root(), Path::new("/there/is/no/list"))
        .into_keys()
        .filter(|path| !path.starts_with("Dockerfile") && path != Path::new("Dockerfile.dockerignore"))
        .map(|path| place.root().join(path))
        .collect();
    let some = random.choice(&everything).cloned();
    let some_file = some.as_ref().filter(|path| path.symlink_metadata().unwrap().is_file());
    let some_folder = some.as_ref().filter(|path| path.symlink_metadata().unwrap().is_dir());
    let not_link = some.as_ref().filter(|path| !path.symlink_metadata().unwrap().is_symlink());
    match random.u8(..12) {
        0 => place.write_list(random),
        1 => grow(random, &some_folder.cloned().unwrap_or_else(|| place.root()), 2),
        2 => {
            if let Some(path) = some_file {
                fs::remove_file(path).unwrap();
            }
        }
        3 => {
            if let Some(path) = some_folder {
                fs::remove_dir_all(path).unwrap();
            }
        }
        4 => {
            if let Some(path) = not_link {
                let mode = *random.choice(&[0o755, 0o700, 0o4755, 0o1777]).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        5 => {
            if let Some(path) = some_file {
                fs::remove_file(path).unwrap();
                symlink("elsewhere", path).unwrap();
            }
        }
        6 => {
            if let Some(path) = some_file {
                fs::rename(path, place.root().join("renamed")).unwrap();
            }
        }
        // Another time alone is nothing that a build sees.
        7 => {
            if let Some(path) = some_file {
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(random.u32(..).into());
                fs::File::open(path).unwrap().set_modified(time).unwrap();
            }
        }
        8 => {
            if let Some(path) = some_file {
                let content = fs::read(path).unwrap();
                fs::remove_file(path).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        // The same size, and the same time as before.
        _ => {
            if let Some(path) = some_file {
                let modified = path.metadata().unwrap().modified().unwrap();
                fs::write(path, [random.u8(b'0'..=b'9')]).unwrap();
                fs::File::open(path).unwrap().set_modified(modified).unwrap();
            }
        }
    }
}

fn cases() -> u32 {
    if std::env::var_os("LEO_FULL").is_some_and(|value| value == "1") { 2000 } else { 50 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_hash_changes_with_what_a_build_sees_and_with_nothing_else(seed in any::<u64>()) {
        let mut random = fastrand::Rng::with_seed(seed);
        let place = Place::generated(&mut random);
        fs::create_dir(place.folder.path().join("cache")).unwrap();
        let (mut tree, mut hash) = (place.tree(), place.look(true).hash);
        for _ in 0..4 {
            disturb(&place, &mut random);
            let (new_tree, new_hash) = (place.tree(), place.look(true).hash);
            prop_assert_eq!(new_tree == tree, new_hash == hash);
            prop_assert_eq!(new_hash, place.look(false).hash);
            (tree, hash) = (new_tree, new_hash);
        }
    }
}
