//! How others read an environment file: a real shell, the real `docker` program, what we know of it, and `dotenvy` itself.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// What a reader takes from a file, by key; `None`: it refuses the file.
pub(crate) type Reading = Option<BTreeMap<String, String>>;

/// `set -a; . <file>`, for these keys. It finds no commands.
pub(crate) fn shell(program: &str, text: &str, keys: &[&str]) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), text).unwrap();
    let mut script = "set -a\n. ./file\n".to_owned();
    for key in keys {
        let line = format!("printf '%s\\0%s\\0' '{key}' \"${{{key}-<unset>}}\"\n");
        script += &line;
    }
    let output = Command::new(program)
        .args(["-c", &script])
        .env_clear()
        .env("PATH", "/nowhere")
        .env("HOME", "/people/somebody")
        .env("LC_ALL", "C.UTF-8")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let parts: Vec<String> = output
        .stdout
        .split(|byte| *byte == 0)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    let all: BTreeMap<String, String> =
        parts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let read = all.len() == keys.len();
    read.then(|| all.into_iter().filter(|(_, value)| value != "<unset>").collect())
}

/// Where a shell of this name is, by its whole path: it is started without a `PATH`.
pub(crate) fn program(name: &str) -> Option<String> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .map(|path| path.to_string_lossy().into_owned())
}

/// What `docker run --env-file` does, as its `kvfile` says: lines, cut at the first `=`, and nothing else.
pub(crate) fn docker_model(text: &str) -> Reading {
    let mut all = BTreeMap::new();
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
        if key.is_empty() || key.contains([' ', '\t']) || line.len() > 65_535 {
            return None;
        }
        if let Some(value) = value {
            all.insert(key.to_owned(), value.to_owned());
        }
    }
    Some(all)
}

/// What the real program sends to an engine, which is played by this process.
pub(crate) fn docker(program: &OsStr, text: &str) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, text).unwrap();
    let engine = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = engine.local_addr().unwrap();
    let mut child = Command::new(program);
    child
        .args(["create", "--env-file"])
        .arg(&file)
        .arg("image")
        .env_clear()
        .env("HOME", folder.path())
        .env("DOCKER_CONFIG", folder.path())
        .env("DOCKER_HOST", format!("tcp://{address}"))
        .env("DOCKER_API_VERSION", "1.44");
    let answers = std::thread::spawn(move || {
        let mut body = None;
        for stream in engine.incoming().map_while(Result::ok) {
            match answer(stream) {
                Some(Request::Create(sent)) => body = Some(sent),
                Some(Request::Other) => {}
                None => break,
            }
        }
        body
    });
    let output = child.output().unwrap();
    // A connection without a request ends the engine.
    drop(TcpStream::connect(address));
    let body = answers.join().unwrap();
    assert_eq!(output.status.success(), body.is_some(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent: serde_json::Value = serde_json::from_slice(&body?).unwrap();
    let list = sent["Env"].as_array().cloned().unwrap_or_default();
    let pair = |entry: &serde_json::Value| {
        let (key, value) = entry.as_str()?.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    };
    Some(list.iter().filter_map(pair).collect())
}

enum Request {
    Create(Vec<u8>),
    Other,
}

/// Answers one request and closes the connection.
fn answer(stream: TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let create = head.lines().next().is_some_and(|line| line.contains("/containers/create"));
    let (status, text) =
        if create { ("201 Created", r#"{"Id":"0","Warnings":[]}"#) } else { ("200 OK", "{}") };
    let length = text.len();
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
    .ok()?;
    Some(if create { Request::Create(body) } else { Request::Other })
}

/// What a program reads that gives the whole file to `dotenvy`.
pub(crate) fn dotenvy_whole(text: &str) -> Result<Vec<(String, String)>, dotenvy::Error> {
    dotenvy::from_read_iter(text.as_bytes()).collect()
}
