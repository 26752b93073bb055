//! The example does what its README says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The example, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The head of the answer to a person's navigation.
fn head(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nsec-fetch-mode: navigate\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
        .split("\r\n\r\n")
        .next()
        .unwrap()
        .to_ascii_lowercase()
}

#[test]
fn a_page_of_the_timetable_leads_to_the_login_and_names_itself() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let example = Command::new(env!("CARGO_BIN_EXE_axum-embed"))
        .arg("127.0.0.1:0")
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn();
    let mut example = Running(example.unwrap());
    let mut line = String::new();
    let stdout = example.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let page = line.trim().strip_prefix("http://").unwrap();
    let (address, path) = page.split_once('/').unwrap();
    assert_eq!(path, "timetable/10001/friday");

    let answer = head(address, "/timetable/10001/friday");
    assert!(answer.starts_with("http/1.1 303 "), "{answer}");
    let login = "location: /portal/login?return_to=/timetable/10001/friday";
    assert!(answer.contains(login), "{answer}");
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    let answer = head(address, "/portal/login?return_to=/timetable/10001/friday");
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    let readme = include_str!("../README.md");
    assert!(readme.contains("/portal/login?return_to=/timetable/10001/friday"));
}
