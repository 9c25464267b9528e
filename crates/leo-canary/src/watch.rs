use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What is seen of a command's children while it runs: their arguments and variables. Linux alone has a `/proc` to look in;
/// elsewhere nothing is seen.
#[derive(Debug)]
pub struct Watch {
    over: Arc<AtomicBool>,
    looking: JoinHandle<Seen>,
}

/// What was seen of processes.
#[derive(Debug, Default)]
pub struct Seen {
    /// What each had as arguments and variables, with its name.
    pub children: Vec<(String, Vec<u8>)>,
    /// The command's own arguments.
    pub arguments: Vec<u8>,
    /// The command's limits, as they were when it was last seen.
    pub limits: String,
}

/// How long it does not look between two looks; short-lived children live for a few times that.
const PAUSE: Duration = Duration::from_millis(2);

impl Watch {
    /// Looks at the descendants of a process until [`Watch::end`].
    pub fn over(command: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = over.clone();
        let looking = thread::spawn(move || {
            let mut seen = Seen::default();
            let mut known: BTreeSet<u32> = BTreeSet::from([command]);
            let mut last: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
            while !end.load(Ordering::Relaxed) {
                look(command, &mut known, &mut last, &mut seen);
                thread::sleep(PAUSE);
            }
            seen
        });
        Self { over, looking }
    }

    /// All that was seen.
    ///
    /// # Panics
    /// Where looking panicked.
    #[allow(clippy::expect_used, reason = "a test that can't look has failed")]
    pub fn end(self) -> Seen {
        self.over.store(true, Ordering::Relaxed);
        self.looking.join().expect("looking does not panic")
    }
}

/// One look. A child may have been given up by its parent since: who was known once stays known.
fn look(command: u32, known: &mut BTreeSet<u32>, last: &mut BTreeMap<u32, Vec<u8>>, seen: &mut Seen) {
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let folder = process.path();
        if !known.contains(&id) {
            let parent = fs::read_to_string(folder.join("stat")).ok().and_then(|stat| parent(&stat));
            if !parent.is_some_and(|parent| known.contains(&parent)) {
                continue;
            }
            known.insert(id);
        }
        let read = |file: &str| fs::read(folder.join(file)).unwrap_or_default();
        if id == command {
            let arguments = read("cmdline");
            if !arguments.is_empty() {
                seen.arguments = arguments;
                seen.limits = String::from_utf8_lossy(&read("limits")).into_owned();
            }
            continue;
        }
        let arguments = read("cmdline");
        // Between fork and exec it is its parent still, with its parent's variables.
        if arguments.is_empty() || arguments == seen.arguments {
            continue;
        }
        let told = [arguments, read("environ")].join(&0);
        if last.get(&id) != Some(&told) {
            let name = String::from_utf8_lossy(&read("comm")).trim().to_owned();
            seen.children.push((format!("process {id} ({name})"), told.clone()));
            last.insert(id, told);
        }
    }
}

/// The parent in `/proc/<pid>/stat` (proc(5), field 4), past a name that may hold anything.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn arguments_and_variables_of_children_and_theirs_are_seen() {
        let mut command = Command::new("sh")
            .args(["-c", "sleep 0.1; FOUND=variable sh -c 'sleep 0.5; true' argument; true"])
            .spawn()
            .unwrap();
        let watch = Watch::over(command.id());
        command.wait().unwrap();
        let seen = watch.end();
        let has =
            |text: &str| seen.children.iter().any(|(_, told)| String::from_utf8_lossy(told).contains(text));
        assert!(has("FOUND=variable") && has("argument") && has("sleep"), "{:?}", seen.children);
        assert!(seen.limits.contains("core file size"), "{}", seen.limits);
        assert_eq!(parent("7 (a) b) S 42 1 1"), Some(42));
    }
}
