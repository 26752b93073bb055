//! Tells the open pages of a family what happened to it. A hint, never the authority.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_channel::mpsc;
use futures_util::Stream;

use crate::model::{AccountId, EndReason, Selector};

/// What happened to a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It goes on under a new token: its pages go to the landing page (S9).
    PasswordChanged,
    /// It ended: its pages go to the log-in page (S10, S11, S12).
    Ended(EndReason),
}

/// The notices of one family, until it has ended.
#[derive(Debug)]
pub struct Notices {
    receiver: mpsc::UnboundedReceiver<Notice>,
}

impl Stream for Notices {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        Pin::new(&mut self.receiver).poll_next(cx)
    }
}

/// The most pages of one family that listen at a time; the oldest is let go for a new one.
const LISTENERS_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct NoticeBoard {
    accounts: Mutex<HashMap<AccountId, Vec<Listener>>>,
}

#[derive(Debug)]
struct Listener {
    selector: Selector,
    sender: mpsc::UnboundedSender<Notice>,
}

impl NoticeBoard {
    pub(super) fn subscribe(&self, account: AccountId, selector: Selector) -> Notices {
        let (sender, receiver) = mpsc::unbounded();
        let mut accounts = self.accounts();
        let listeners = accounts.entry(account).or_default();
        listeners.retain(|listener| !listener.sender.is_closed());
        let own = listeners
            .iter()
            .filter(|listener| listener.selector == selector)
            .count();
        if own >= LISTENERS_MAX
            && let Some(oldest) = listeners.iter().position(|l| l.selector == selector)
        {
            listeners.remove(oldest);
        }
        listeners.push(Listener { selector, sender });
        Notices { receiver }
    }

    /// One family ended.
    pub(super) fn ended(&self, account: AccountId, selector: Selector, reason: EndReason) {
        self.tell(account, |listener| {
            (listener.selector == selector).then_some(Notice::Ended(reason))
        });
    }

    /// All families of the account ended but `kept`, which goes on under a new token: its pages only
    /// have to move where the password was changed.
    pub(super) fn all_ended(&self, account: AccountId, kept: Option<Selector>, reason: EndReason) {
        self.tell(account, |listener| match kept {
            Some(kept) if kept == listener.selector => {
                (reason == EndReason::PasswordChanged).then_some(Notice::PasswordChanged)
            }
            _ => Some(Notice::Ended(reason)),
        });
    }

    /// Nobody is told anything any more.
    pub(super) fn end_all(&self) {
        self.accounts().clear();
    }

    fn tell(&self, account: AccountId, notice: impl Fn(&Listener) -> Option<Notice>) {
        let mut accounts = self.accounts();
        let Some(listeners) = accounts.get_mut(&account) else {
            return;
        };
        listeners.retain(|listener| match notice(listener) {
            None => !listener.sender.is_closed(),
            Some(notice) => {
                let heard = listener.sender.unbounded_send(notice).is_ok();
                heard && !matches!(notice, Notice::Ended(_))
            }
        });
        if listeners.is_empty() {
            accounts.remove(&account);
        }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountId, Vec<Listener>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
