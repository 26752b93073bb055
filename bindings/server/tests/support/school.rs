//! A school of one's own: its roster, its configuration, its server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::people::Facts;
use super::{Running, narthex, ran};

/// A roster of one school with these people. Each has the password `Given-By-The-Office`, which
/// nobody takes over.
pub(crate) fn roster(folder: &Path, people: &[Facts]) -> String {
    let path = folder.join("roster");
    fs::create_dir_all(&path).unwrap();
    let sample = Path::new(super::people::sample()).parent().unwrap();
    fs::copy(sample.join("manifest.csv"), path.join("manifest.csv")).unwrap();
    let head = |name: &str| {
        let text = fs::read_to_string(sample.join(name)).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let rows = |name: &str, row: &dyn Fn(usize, &Facts) -> String| {
        let rows = people.iter().enumerate().map(|(i, facts)| row(i, facts));
        let lines: Vec<String> = std::iter::once(head(name)).chain(rows).collect();
        fs::write(path.join(name), lines.join("\n") + "\n").unwrap();
    };
    let school = format!("{}\nnorth,,,North High,school,north,\n", head("orgs.csv"));
    fs::write(path.join("orgs.csv"), school).unwrap();
    rows("users.csv", &|i, facts| {
        format!(
            "p{i},,,true,u{i},,{},{},,{},,,,,09,Given-By-The-Office,,,,,north,",
            facts.given_name, facts.family_name, facts.login_id
        )
    });
    rows("roles.csv", &|i, _| {
        format!("r{i},,,p{i},primary,student,,,north,")
    });
    rows("demographics.csv", &|i, facts| {
        format!("p{i},,,{},,,,,,,,,,,,", facts.birthdate)
    });
    path.to_str().unwrap().to_owned()
}

/// A folder with a configuration.
pub(crate) struct School {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
}

impl School {
    /// `more` is appended to the configuration: tables of its own.
    pub(crate) fn new(folder: &Path, more: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = folder.to_owned();
        let text = format!(
            "base_url = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
             [store]\nurl = \"redb://{}/store/portal.redb\"\nkeys = \"keys/portal.keys\"\n\
             [claim]\npolicy = \"facts\"\n{more}",
            folder.display()
        );
        fs::write(folder.join("narthex.toml"), text).unwrap();
        Self { folder, port }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn config(&self) -> String {
        self.folder
            .join("narthex.toml")
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// A command about this school.
    pub(crate) fn ran(&self, words: &[&str]) -> (i32, String, String) {
        let config = self.config();
        let mut words = words.to_vec();
        words.extend(["--config", &config]);
        ran(&words)
    }

    pub(crate) fn serve_command(&self, more: &[&str]) -> Command {
        let config = self.config();
        let mut words = vec!["serve", "--json", "--config", &config];
        words.extend(more);
        narthex(&words)
    }

    pub(crate) fn serve(&self) -> Running {
        Running::start(self.serve_command(&[]))
    }
}
