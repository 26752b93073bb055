//! What the landing page offers: applications by role, downloads, links (S16).

use std::collections::BTreeSet;

use narthex_core::model::Role;

use crate::settings::SettingsError;

/// Everything the landing page offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Applications, in the order shown.
    pub applications: Vec<Application>,
    /// What can be installed, in the order shown.
    pub downloads: Vec<Download>,
    /// Support, learning, training, documentation.
    pub links: Vec<Link>,
}

/// An application of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its name in URLs: small letters, digits and `-`.
    pub id: String,
    /// What people read.
    pub name: String,
    /// One plain sentence.
    pub sentence: String,
    /// Who has it, by role in the organization. Administrators have all.
    pub roles: Vec<Role>,
}

impl Application {
    /// Whether somebody with `roles` in an organization has this application there.
    pub fn is_for(&self, roles: &[&Role]) -> bool {
        roles
            .iter()
            .any(|role| **role == Role::Administrator || self.roles.contains(role))
    }
}

/// Something to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its name in URLs: small letters, digits and `-`.
    pub id: String,
    /// What people read.
    pub name: String,
    /// One plain sentence.
    pub sentence: String,
    /// One per platform.
    pub files: Vec<DownloadFile>,
}

/// One file of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadFile {
    /// "Windows", "macOS", "Linux", ...
    pub platform: String,
    /// The version as its maker writes it.
    pub version: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Where it is; absent: the operator has not put it anywhere yet.
    pub url: Option<String>,
}

/// A link off the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What people read.
    pub name: String,
    /// One plain sentence.
    pub sentence: String,
    /// `https://...` or `mailto:...`; absent: `/help` of this portal.
    pub url: Option<String>,
}

impl Catalogue {
    /// The application of an id.
    pub fn application(&self, id: &str) -> Option<&Application> {
        self.applications.iter().find(|app| app.id == id)
    }

    /// The reference catalogue.
    pub fn reference() -> Self {
        use Role::{Other, Student, Teacher};
        let app = |id: &str, name: &str, sentence: &str, roles: &[Role]| Application {
            id: id.to_owned(),
            name: name.to_owned(),
            sentence: sentence.to_owned(),
            roles: roles.to_vec(),
        };
        let everybody = [Student, Teacher, Role::Guardian, Other];
        Self {
            applications: vec![
                app(
                    "cloud-studio",
                    "Cloud Studio",
                    "Build a project in the browser and watch it run.",
                    &[Student, Teacher, Other],
                ),
                app(
                    "api-manager",
                    "API Manager",
                    "Publish what you built, so that other programs can use it.",
                    &[Teacher, Other],
                ),
                app(
                    "app-builder",
                    "App Builder",
                    "Make an app out of screens and forms, without writing code.",
                    &[Student, Teacher, Other],
                ),
                app(
                    "marketplace",
                    "Marketplace",
                    "Find ready-made projects and start from one of them.",
                    &everybody,
                ),
                app(
                    "management-console",
                    "Management Console",
                    "See what runs, who may use it, and what went wrong.",
                    &[],
                ),
                app(
                    "citizen-integrator",
                    "Citizen Integrator",
                    "Connect two services with a recipe that somebody has tried.",
                    &everybody,
                ),
            ],
            downloads: reference_downloads(),
            links: [
                ("Support", "Something does not work? Ask a human."),
                ("Learning", "Short lessons, from the first project on."),
                ("Training", "Courses with a teacher and a certificate."),
                ("Documentation", "How everything works, in detail."),
            ]
            .map(|(name, sentence)| Link {
                name: name.to_owned(),
                sentence: sentence.to_owned(),
                url: None,
            })
            .into(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let apps = self.applications.iter().map(|app| &app.id);
        let mut seen = BTreeSet::new();
        for id in apps.chain(self.downloads.iter().map(|download| &download.id)) {
            let plain = (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain || !seen.insert(id) {
                return Err(SettingsError::CatalogueId(id.clone()));
            }
        }
        let files = self.downloads.iter().flat_map(|download| &download.files);
        let urls = files.filter_map(|file| file.url.as_ref());
        for url in urls.chain(self.links.iter().filter_map(|link| link.url.as_ref())) {
            if !url.starts_with("https://") && !url.starts_with("mailto:") {
                return Err(SettingsError::CatalogueLink(url.clone()));
            }
        }
        Ok(())
    }
}

fn reference_downloads() -> Vec<Download> {
    const MIB: u64 = 1024 * 1024;
    let file = |platform: &str, version: &str, mib: u64| DownloadFile {
        platform: platform.to_owned(),
        version: version.to_owned(),
        bytes: mib * MIB,
        url: None,
    };
    let download = |id: &str, name: &str, sentence: &str, files| Download {
        id: id.to_owned(),
        name: name.to_owned(),
        sentence: sentence.to_owned(),
        files,
    };
    vec![
        download(
            "private-agents",
            "Private Agents",
            "Runs your projects on a computer of your own.",
            vec![file("Windows", "11.48", 212), file("Linux", "11.48", 187)],
        ),
        download(
            "design-studio",
            "Design Studio",
            "Builds projects on your own computer, also without the internet.",
            vec![file("Windows", "10.74", 164), file("macOS", "10.74", 171)],
        ),
        download(
            "data-loader",
            "Data Loader",
            "Moves rows between a file and a service.",
            vec![file("Windows", "10.74", 96), file("macOS", "10.74", 101)],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(roles: &[&Role]) -> Vec<String> {
        let apps = Catalogue::reference().applications;
        apps.into_iter()
            .filter(|app| app.is_for(roles))
            .map(|app| app.name)
            .collect()
    }

    #[test]
    fn s16_administrators_have_every_application_and_students_no_management_console() {
        assert_eq!(names(&[&Role::Administrator]).len(), 6);
        let students = names(&[&Role::Student]);
        assert!(students.contains(&"Cloud Studio".to_owned()));
        assert!(!students.contains(&"Management Console".to_owned()));
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn the_reference_catalogue_can_be_served_and_a_script_link_cannot() {
        Catalogue::reference().check().unwrap();
        let mut catalogue = Catalogue::reference();
        catalogue.links.push(Link {
            name: "x".into(),
            sentence: "x".into(),
            url: Some("javascript:alert(1)".into()),
        });
        assert!(catalogue.check().is_err());
    }
}
