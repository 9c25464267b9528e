//! microburst in front of the local target: every fifth call is throttled, fails, is late, or loses its connection, before
//! it is carried out or after.
//!
//! It is an HTTP proxy and not another endpoint, so that the `Host` that a request is signed for stays the emulator's.

use crate::{http::get, workspace::tools};
use leo_local::LocalTarget;
use serde_json::{Value, json};
use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// microburst draws from Python's one generator, so this makes its draws repeatable; which call meets which draw still
/// depends on what runs side by side. An upload to S3 it would pass on in chunks, without the length that is signed.
const START: &str = "import random, sys\n\
                     from microburst.cli import main\n\
                     from microburst.core import pipeline\n\
                     pipeline.should_buffer = lambda *of: True\n\
                     random.seed(int(sys.argv.pop(1)))\n\
                     sys.exit(main())";
/// How long it may take to listen.
const STARTING: Duration = Duration::from_mins(1);
/// The share of all calls that something happens to.
const SHARE: f64 = 0.2;
/// A call that is late, in milliseconds: far below the clients' timeout, far above what the emulator takes.
const LATE: (u32, u32) = (200, 1500);

/// A proxy that runs. Dropping it ends it.
pub(crate) struct Proxy {
    process: Child,
    pub(crate) url: String,
    /// Its rules and its log.
    folder: TempDir,
}

impl Proxy {
    pub(crate) fn start(target: &LocalTarget, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        let rules = folder.path().join("rules.json");
        let config = json!({"upstream": target.endpoint, "rules": faults()});
        // JSON is YAML.
        fs::write(&rules, config.to_string()).expect("writes a file");
        let log = fs::File::create(folder.path().join("log")).expect("makes a file");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("finds a port").port();
        let process = Command::new(tools().python())
            .args(["-c", START, &seed.to_string(), "--port", &port.to_string(), "--config"])
            .arg(&rules)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("is the same file"))
            .stderr(log)
            .spawn()
            .expect("starts");
        let mut proxy = Self { process, url: format!("http://127.0.0.1:{port}"), folder };
        let deadline = Instant::now() + STARTING;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(proxy.folder.path().join("log")).unwrap_or_default();
            assert!(proxy.process.try_wait().expect("is asked").is_none(), "it ended: {}", log());
            assert!(Instant::now() < deadline, "it does not listen: {}", log());
            sleep(Duration::from_millis(50));
        }
        assert_eq!(
            proxy.control("health")["upstream"],
            target.endpoint.as_str(),
            "another process has the port"
        );
        proxy
    }

    /// How many calls it has seen.
    pub(crate) fn calls(&self) -> u64 {
        self.control("health")["requests_seen"].as_u64().expect("counts")
    }

    /// What it did to calls: operation and fault.
    pub(crate) fn fired(&self) -> Vec<String> {
        let fired = self.control("fired?limit=100000");
        let text = |event: &Value| {
            let part = |key: &str| event[key].as_str().unwrap_or("?").to_owned();
            format!("{} {}", part("operation"), part("action"))
        };
        fired.as_array().into_iter().flatten().map(text).collect()
    }

    fn control(&self, path: &str) -> Value {
        get(&format!("{}/_microburst/{path}", self.url)).json()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Rules are tried in order and the first that is drawn applies: for equal shares, each is drawn from what those before it
/// leave over.
fn faults() -> Value {
    // CloudFormation and load balancing speak the query protocol, in which throttling has a name of its own.
    let throttled = |service: &str, code: &str| json!({"service": service, "error": {"code": code, "status": 400, "message": "Rate exceeded"}});
    let kinds = [
        vec![
            throttled("cloudformation", "Throttling"),
            throttled("elasticloadbalancing", "Throttling"),
            throttled("ecr", "ThrottlingException"),
            throttled("ecs", "ThrottlingException"),
            throttled("secretsmanager", "ThrottlingException"),
            throttled("sts", "Throttling"),
            json!({"service": "s3", "error": {"code": "SlowDown", "status": 503, "message": "Rate exceeded"}}),
        ],
        vec![json!({"error": {"code": "InternalFailure", "status": 500, "message": "injected"}})],
        vec![json!({"latency": {"min": LATE.0, "max": LATE.1}})],
        vec![json!({"reset": true})],
        // Carried out, and nobody hears of it.
        vec![json!({"response": {"abort_bytes": 0}})],
    ];
    let each = SHARE / f64::from(u32::try_from(kinds.len()).expect("is small"));
    let mut left = 1.0;
    let mut rules = Vec::new();
    for kind in kinds {
        for mut rule in kind {
            rule["probability"] = json!(each / left);
            rules.push(rule);
        }
        left -= each;
    }
    json!(rules)
}
