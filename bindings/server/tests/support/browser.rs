//! A cookie jar with a socket: one browser, as the server sees it.

use std::collections::BTreeMap;
use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::people::Facts;

const PATIENCE: Duration = Duration::from_secs(20);

/// What came back, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One browser: its cookies, and the address it comes from. Clones go on with cookies of their own.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    origin: String,
    host: String,
    from: Ipv4Addr,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Without cookies, from 127.0.0.1.
    pub(crate) fn new(origin: &str) -> Self {
        Self::from(origin, Ipv4Addr::LOCALHOST)
    }

    /// From an address of its own, so that the tries of many do not add up to one network's.
    pub(crate) fn from(origin: &str, from: Ipv4Addr) -> Self {
        Self {
            origin: origin.to_owned(),
            host: host_of(origin),
            from,
            cookies: BTreeMap::new(),
        }
    }

    /// What it was given to keep.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.cookies.values().cloned().collect()
    }

    /// The same jar after the server came back elsewhere.
    pub(crate) fn at(&self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            host: host_of(origin),
            ..self.clone()
        }
    }

    /// The same, but the person typed the host's other name.
    pub(crate) fn called(&self, origin: &str) -> Self {
        Self {
            host: host_of(origin),
            ..self.clone()
        }
    }

    /// An error means that nobody knows whether it was done: no whole answer came back.
    pub(crate) fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Reply> {
        let address: SocketAddr = self.origin.trim_start_matches("http://").parse().unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((self.from, 0)).into())?;
        socket.connect(&address.into())?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nOrigin: {}\r\n",
            self.host, self.origin
        );
        if !cookies.is_empty() {
            request.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            request.push_str("Content-Type: application/json\r\n");
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let reply = parse(&answer).ok_or(Error::from(ErrorKind::UnexpectedEof))?;
        self.keep(&reply);
        Ok(reply)
    }

    fn keep(&mut self, reply: &Reply) {
        for (name, value) in &reply.headers {
            if name != "set-cookie" {
                continue;
            }
            let pair = value.split(';').next().unwrap();
            let (name, content) = pair.split_once('=').unwrap();
            if content.is_empty() || value.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), content.to_owned());
            }
        }
    }

    /// Evidence; 201 or a refusal.
    pub(crate) fn begin_claim(&mut self, facts: &Facts) -> io::Result<u16> {
        let body = json!({
            "given_name": facts.given_name,
            "family_name": facts.family_name,
            "birthdate": facts.birthdate,
            "login_id": facts.login_id,
        });
        Ok(self.call("POST", "/api/v1/claim", Some(&body))?.status)
    }

    pub(crate) fn claim_password(&mut self, password: &str) -> io::Result<u16> {
        let body = json!({ "password": password });
        Ok(self
            .call("POST", "/api/v1/claim/password", Some(&body))?
            .status)
    }

    pub(crate) fn claim_answers(&mut self) -> io::Result<u16> {
        let answers = json!([
            { "question": "first_toy", "answer": "Sir Knits" },
            { "question": "first_song", "answer": "Frog Parade" },
        ]);
        let body = json!({ "answers": answers });
        Ok(self
            .call("POST", "/api/v1/claim/questions", Some(&body))?
            .status)
    }

    pub(crate) fn log_in(&mut self, login_id: &str, password: &str) -> io::Result<u16> {
        let body = json!({ "login_id": login_id, "password": password });
        Ok(self.call("POST", "/api/v1/session", Some(&body))?.status)
    }

    pub(crate) fn log_out(&mut self) -> io::Result<u16> {
        Ok(self.call("DELETE", "/api/v1/session", None)?.status)
    }

    pub(crate) fn change_password(&mut self, current: &str, new: &str) -> io::Result<u16> {
        let body = json!({ "current": current, "new": new });
        Ok(self.call("POST", "/api/v1/password", Some(&body))?.status)
    }

    /// 200: logged in; 401: not.
    pub(crate) fn session(&self) -> io::Result<u16> {
        // On a copy: a refusal must not wipe the cookie that is asked about again.
        Ok(self.clone().call("GET", "/api/v1/session", None)?.status)
    }
}

fn host_of(origin: &str) -> String {
    origin.trim_start_matches("http://").to_owned()
}

/// `None` for less than a whole answer.
fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Some(body.len()), |(_, length)| length.parse().ok())?;
    (body.len() >= length).then_some(Reply {
        status,
        headers,
        body,
    })
}
