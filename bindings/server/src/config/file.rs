//! The shape of the configuration file. Every setting is optional; unknown ones are refused.

use std::path::PathBuf;

use narthex::core::Role;
use narthex::core::model::Contact;
use narthex::http::{Application, Catalogue, Download, DownloadFile, Link};
use narthex::{AppOrganization, AppPrefix};
use serde::Deserialize;

use super::value::{
    BaseUrlText, Listen, Network, OrganizationText, Profile, Proof, RoleText, SiteLanguage, Span,
    Store,
};

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name {
                $(pub(super) $field: Option<$type>,)*
            }

            impl Over for $name {
                fn over(self, below: Self) -> Self {
                    Self { $($field: over(self.$field, below.$field),)* }
                }
            }
        )*
    };
}

/// What stands above wins, setting by setting.
pub(super) trait Over: Sized {
    fn over(self, below: Self) -> Self;
}

fn over<T: Over>(above: Option<T>, below: Option<T>) -> Option<T> {
    match (above, below) {
        (Some(above), Some(below)) => Some(above.over(below)),
        (above, below) => above.or(below),
    }
}

macro_rules! whole {
    ($($type:ty),* $(,)?) => {
        $(impl Over for $type {
            fn over(self, _below: Self) -> Self {
                self
            }
        })*
    };
}

whole!(
    BaseUrlText,
    Listen,
    Store,
    PathBuf,
    String,
    Span,
    Profile,
    SiteLanguage,
    Proof,
    bool,
    usize,
    u32,
    CatalogueFile,
);

impl<T> Over for Vec<T> {
    fn over(self, _below: Self) -> Self {
        self
    }
}

settings! {
    /// The whole file.
    File {
        base_url: BaseUrlText,
        listen: Listen,
        trusted_proxies: Vec<Network>,
        cookie_suffix: String,
        store: StoreFile,
        site: SiteFile,
        session: SessionFile,
        password: PasswordFile,
        claim: ClaimFile,
        networks: Vec<NetworkFile>,
        questions: QuestionsFile,
        hash: HashFile,
        limits: LimitsFile,
        management: ManagementFile,
        plugins: PluginsFile,
        roster: RosterFile,
        staff: StaffFile,
        mail: MailFile,
        webhook: WebhookFile,
        organizations: Vec<OrganizationFile>,
        apps: Vec<AppFile>,
        help: Vec<ContactFile>,
        catalogue: CatalogueFile,
    }
    StoreFile { url: Store, keys: PathBuf, }
    SiteFile { name: String, language: SiteLanguage, theme: PathBuf, }
    SessionFile { inactivity_timeout: Span, shared_computer_timeout: Span, absolute_timeout: Span, }
    PasswordFile { profile: Profile, context_words: Vec<String>, }
    ClaimFile { policy: Proof, code_lifetime: Span, keep_birthdate: bool, }
    QuestionsFile { required: usize, }
    HashFile {
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
        workers: usize,
        queue: usize,
    }
    LimitsFile { connections_max: usize, connections_per_address_max: usize, }
    ManagementFile { listen: Listen, }
    PluginsFile { folder: PathBuf, }
    MailFile { server: String, from: String, login: String, password: String, }
    WebhookFile { url: String, secret: String, }
    StaffFile { roles: Vec<RoleText>, districts: bool, }
    RosterFile { deactivation_percent_max: u32, }
}

/// A network behind which many people are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkFile {
    pub(super) cidr: Network,
    pub(super) people: u32,
}

/// What one organization has differently.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationFile {
    pub(super) id: OrganizationText,
    pub(super) inactivity_timeout: Option<Span>,
    pub(super) password_profile: Option<Profile>,
    pub(super) theme: Option<PathBuf>,
}

/// A prefix under which an application behind the same host has its pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AppTable")]
pub(super) struct AppFile(pub(super) AppPrefix);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppTable {
    prefix: String,
    #[serde(default)]
    organization: AppOrganizationFile,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AppOrganizationFile {
    #[default]
    Default,
    FromPath,
    Fixed(OrganizationText),
}

impl TryFrom<AppTable> for AppFile {
    type Error = String;

    fn try_from(table: AppTable) -> Result<Self, String> {
        let organization = match table.organization {
            AppOrganizationFile::Default => AppOrganization::Default,
            AppOrganizationFile::FromPath => AppOrganization::FromPath,
            AppOrganizationFile::Fixed(id) => AppOrganization::Fixed(id.0),
        };
        AppPrefix::parse(&table.prefix, organization)
            .map(Self)
            .map_err(|error| format!("{:?}: {error}", table.prefix))
    }
}

/// A human to write to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactFile {
    name: String,
    role: String,
    email: Option<String>,
}

impl From<ContactFile> for Contact {
    fn from(file: ContactFile) -> Self {
        Self {
            name: file.name,
            role: file.role,
            email: file.email,
        }
    }
}

/// What the landing page offers, instead of the reference catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogueFile {
    #[serde(default)]
    applications: Vec<ApplicationFile>,
    #[serde(default)]
    downloads: Vec<DownloadEntry>,
    #[serde(default)]
    links: Vec<LinkFile>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationFile {
    id: String,
    name: String,
    sentence: String,
    roles: Vec<RoleText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DownloadEntry {
    id: String,
    name: String,
    sentence: String,
    files: Vec<DownloadFileEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DownloadFileEntry {
    platform: String,
    version: String,
    bytes: u64,
    url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFile {
    name: String,
    sentence: String,
    url: Option<String>,
}

impl From<CatalogueFile> for Catalogue {
    fn from(file: CatalogueFile) -> Self {
        Self {
            applications: file.applications.into_iter().map(Into::into).collect(),
            downloads: file.downloads.into_iter().map(Into::into).collect(),
            links: file.links.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ApplicationFile> for Application {
    fn from(file: ApplicationFile) -> Self {
        let roles: Vec<Role> = file.roles.into_iter().map(|role| role.0).collect();
        Self {
            id: file.id,
            name: file.name,
            sentence: file.sentence,
            roles,
        }
    }
}

impl From<DownloadEntry> for Download {
    fn from(file: DownloadEntry) -> Self {
        Self {
            id: file.id,
            name: file.name,
            sentence: file.sentence,
            files: file.files.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<DownloadFileEntry> for DownloadFile {
    fn from(file: DownloadFileEntry) -> Self {
        Self {
            platform: file.platform,
            version: file.version,
            bytes: file.bytes,
            url: file.url,
        }
    }
}

impl From<LinkFile> for Link {
    fn from(file: LinkFile) -> Self {
        Self {
            name: file.name,
            sentence: file.sentence,
            url: file.url,
        }
    }
}
