//! Runs inside a container of a test, as its only file: calls the emulator without a signature, says what it answered, then
//! stays.

use std::io::{Read, Write};
use std::net::TcpStream;

fn main() {
    let at = std::env::var("AWS_ENDPOINT_URL").unwrap().replace("http://", "");
    let mut stream = TcpStream::connect(&at).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    println!("answer: {}", answer.lines().next().unwrap_or("none"));
    std::thread::sleep(std::time::Duration::from_secs(120));
}
