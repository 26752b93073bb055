//! Themes made ready: a style sheet, a logo and links for the operator's pages and for those of each
//! organization that has colours of its own.

use std::collections::BTreeMap;

use narthex_core::model::OrganizationId;

use crate::assets::Assets;
use crate::settings::Settings;
use crate::texts::Texts;
use crate::theme::{FooterLink, ImageKind, Theme};

/// How the pages of one place look: paths of assets, below the base path.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) css: Option<String>,
    pub(crate) logo: Option<String>,
    links: Vec<FooterLink>,
}

/// The operator's look, and those of organizations.
pub(crate) struct Looks {
    site: Look,
    organizations: BTreeMap<OrganizationId, Look>,
}

impl Looks {
    /// Puts the files of all themes among the assets.
    pub(crate) fn new(settings: &Settings, assets: &mut Assets) -> Self {
        let site = settings.theme.as_ref();
        let own = settings.organization_themes.iter().enumerate();
        let organizations = own.map(|(i, (id, theme))| {
            let theme = site.map_or_else(|| theme.clone(), |site| theme.clone().over(site));
            (
                id.clone(),
                look(&theme, &format!("theme-{}", i + 1), assets),
            )
        });
        Self {
            organizations: organizations.collect(),
            site: site
                .map(|theme| look(theme, "theme", assets))
                .unwrap_or_default(),
        }
    }

    /// The look of the pages of an organization, else the operator's.
    pub(crate) fn of(&self, organization: Option<&OrganizationId>) -> &Look {
        let own = organization.and_then(|id| self.organizations.get(id));
        own.unwrap_or(&self.site)
    }
}

fn look(theme: &Theme, name: &str, assets: &mut Assets) -> Look {
    let font = theme
        .font_content()
        .map(|content| assets.add(name, "woff2", "font/woff2", content.clone()));
    let logo = theme.logo_file().map(|(kind, content)| {
        let (extension, media) = match kind {
            ImageKind::Svg => ("svg", "image/svg+xml"),
            ImageKind::Png => ("png", "image/png"),
        };
        assets.add(name, extension, media, content.clone())
    });
    // The font lies beside the style sheet.
    let css = theme.css(font.as_deref());
    let css = assets.add(name, "css", "text/css; charset=utf-8", css);
    let path = |file: String| format!("/assets/{file}");
    Look {
        css: Some(path(css)),
        logo: logo.map(path),
        links: theme.links().to_vec(),
    }
}

impl Look {
    /// The links at the foot: words in the reader's language, else the first there are; address.
    pub(crate) fn links(&self, t: &Texts) -> Vec<(String, String)> {
        let word = |link: &FooterLink| {
            let own = link.text.get(t.lang);
            own.or_else(|| link.text.values().next()).cloned()
        };
        let links = self.links.iter();
        links
            .filter_map(|link| Some((word(link)?, link.url.clone())))
            .collect()
    }
}
