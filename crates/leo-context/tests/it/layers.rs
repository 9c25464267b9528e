//! Builds an image and searches every layer of it.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::context::Context;
use crate::leaks::{private_key, token};

/// Builds an image and answers with all bytes in it: manifests, configuration, and each layer unpacked. `None`, with
/// the reason printed, on a machine without an engine.
fn everything_in_the_image(context: &Context) -> Option<Vec<u8>> {
    let engine = Command::new("docker").args(["buildx", "inspect"]).output();
    if !engine.is_ok_and(|engine| engine.status.success()) {
        assert!(std::env::var_os("LEO_REQUIRE_ALL").is_none_or(|value| value != "1"), "no engine");
        println!("skipped: no Docker engine with buildx");
        return None;
    }
    let out = context.beside("image");
    let built = Command::new("docker")
        .args(["buildx", "build", "--provenance=false", "--progress=plain", "--output"])
        .arg(format!(
            "type=oci,tar=false,compression=uncompressed,force-compression=true,dest={}",
            out.display()
        ))
        .arg(context.root())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut bytes = Vec::new();
    read_all(&out, &mut bytes);
    Some(bytes)
}

fn read_all(folder: &Path, bytes: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, bytes);
        } else {
            fs::File::open(path).unwrap().read_to_end(bytes).unwrap();
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// The context of the test: three secrets, and what has to be in the image.
fn context() -> Context {
    let context = Context::new();
    context.write("Dockerfile", "FROM scratch\nCOPY . /app/\n");
    context.write("main.txt", "what the image is for");
    context.write(".env", "PASSWORD=only-in-the-environment-file\n");
    context.write("deploy/key.pem", private_key());
    context.write("src/config.ts", format!("export const token = '{}'", token()));
    context
}

const SECRETS: [&str; 3] = ["only-in-the-environment-file", "MIIEowIBAAKCAQEA", "ghp_"];

#[test]
fn docker_no_layer_holds_a_secret_once_the_look_finds_none() {
    let context = context();
    let leaks = context.look().leaks;
    assert_eq!(leaks.len(), SECRETS.len());
    // The search would find them: without the lines, they are in the image.
    let Some(image) = everything_in_the_image(&context) else { return };
    for text in SECRETS {
        assert!(holds(&image, text), "{text}");
    }
    fs::remove_dir_all(context.beside("image")).unwrap();

    let lines: Vec<&str> = leaks.iter().filter_map(|leak| leak.ignore_line()).collect();
    context.write(".dockerignore", lines.join("\n"));
    assert_eq!(context.leaks(), [""; 0]);
    let Some(image) = everything_in_the_image(&context) else { return };
    assert!(holds(&image, "what the image is for"));
    for text in SECRETS {
        assert!(!holds(&image, text), "{text}");
    }
}
