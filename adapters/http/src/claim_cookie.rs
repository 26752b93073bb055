//! The claim cookie: the secret that binds claim tickets to this browser, and the latest ticket. It
//! stays until the browser is closed: another claim may be under way in another tab, and a finished
//! or abandoned ticket is worth nothing.

use narthex_core::secret::{BrowserSecret, TicketId};

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::Fault;
use crate::reply::Reply;

/// What the cookie holds.
pub(crate) struct ClaimCookie {
    pub(crate) browser: BrowserSecret,
    pub(crate) latest: TicketId,
}

impl ClaimCookie {
    /// Reads the cookie.
    pub(crate) fn read(ctx: &Ctx<'_>) -> Option<Self> {
        let (browser, latest) = ctx.jar.claim.as_deref()?.split_once('.')?;
        Some(Self {
            browser: BrowserSecret::parse(browser)?,
            latest: TicketId::parse(latest)?,
        })
    }

    /// This browser's secret, or a fresh one.
    pub(crate) fn browser(ctx: &Ctx<'_>) -> Result<BrowserSecret, Fault> {
        if let Some(cookie) = Self::read(ctx) {
            return Ok(cookie.browser);
        }
        let bytes = ctx.portal().random::<32>()?;
        let text = zeroize::Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&bytes));
        BrowserSecret::parse(&text).ok_or_else(|| crate::problem::Problem::internal().into())
    }
}

/// Names `ticket` as this browser's latest.
pub(crate) fn remember(
    ctx: &Ctx<'_>,
    reply: Reply,
    browser: &BrowserSecret,
    ticket: TicketId,
) -> Reply {
    let value = zeroize::Zeroizing::new(format!("{}.{}", *browser.expose(), ticket.expose()));
    reply.cookie(ctx.shared.cookies.set(CookieKind::Claim, &value))
}
