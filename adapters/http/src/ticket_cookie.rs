//! The cookies of claims and of recoveries: the secret that binds tickets to this browser, and the latest
//! ticket. Each stays until the browser is closed: another claim may be under way in another tab, and a
//! finished or abandoned ticket is worth nothing.

use narthex_core::secret::{BrowserSecret, TicketId};

use crate::context::Ctx;
use crate::cookies::CookieKind;
use crate::problem::Fault;
use crate::reply::Reply;

/// What the cookie holds.
pub(crate) struct TicketCookie {
    pub(crate) browser: BrowserSecret,
    /// None before the first facts that were right.
    pub(crate) latest: Option<TicketId>,
}

impl TicketCookie {
    /// Reads the cookie of `kind`.
    pub(crate) fn read(ctx: &Ctx<'_>, kind: CookieKind) -> Option<Self> {
        let value = match kind {
            CookieKind::Recovery => ctx.jar.recovery.as_deref(),
            _ => ctx.jar.claim.as_deref(),
        };
        let value = value?;
        let (browser, latest) = match value.split_once('.') {
            Some((browser, latest)) => (browser, Some(TicketId::parse(latest)?)),
            None => (value, None),
        };
        Some(Self {
            browser: BrowserSecret::parse(browser)?,
            latest,
        })
    }

    /// This browser's secret, or a fresh one.
    pub(crate) fn browser(ctx: &Ctx<'_>, kind: CookieKind) -> Result<BrowserSecret, Fault> {
        if let Some(cookie) = Self::read(ctx, kind) {
            return Ok(cookie.browser);
        }
        let bytes = ctx.portal().random::<32>()?;
        let text = zeroize::Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(&bytes));
        BrowserSecret::parse(&text).ok_or_else(|| crate::problem::Problem::internal().into())
    }
}

/// Names `ticket` as this browser's latest of `kind`.
pub(crate) fn remember(
    ctx: &Ctx<'_>,
    reply: Reply,
    kind: CookieKind,
    browser: &BrowserSecret,
    ticket: TicketId,
) -> Reply {
    let value = zeroize::Zeroizing::new(format!("{}.{}", *browser.expose(), ticket.expose()));
    reply.cookie(ctx.shared.cookies.set(kind, &value))
}

/// Lets a browser whose claim was refused keep its secret: facts that are right at the next try then
/// take back what it got nearly right before.
pub(crate) fn remember_refused(ctx: &Ctx<'_>, reply: Reply, browser: &BrowserSecret) -> Reply {
    match TicketCookie::read(ctx, CookieKind::Claim).and_then(|cookie| cookie.latest) {
        Some(ticket) => remember(ctx, reply, CookieKind::Claim, browser, ticket),
        None => reply.cookie(ctx.shared.cookies.set(CookieKind::Claim, &browser.expose())),
    }
}
