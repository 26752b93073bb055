//! The core's portal, until it is there: signatures only. To be removed.
#![expect(missing_docs, clippy::unused_async, reason = "a stand-in for a few minutes")]
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use narthex_core::model::*;
use narthex_core::policy::Policy;
use narthex_core::rules::claim::ClaimEvidence;
use narthex_core::rules::password::PasswordRequirement;
use narthex_core::rules::question::SecurityAnswers;
use narthex_core::rules::resume::Resume;
use narthex_core::secret::*;
use narthex_core::{Refusal, Result};

#[derive(Clone, Debug, Default)]
pub struct Portal(Policy);
#[derive(Clone, Debug, Default)]
pub struct Asker { pub source: String, pub request_id: RequestId, pub client_label: String }
pub struct LogIn { pub login_id: LoginId, pub password: Password, pub shared_computer: bool, pub presented: Option<SessionToken> }
pub struct LoggedIn { pub token: SessionToken, pub session: VerifiedSession, pub profile: Profile }
pub struct Claimed { pub login_id: LoginId, pub given_name: String, pub default_organization: OrganizationId }
#[derive(Clone)]
pub struct VerifiedSession { a: AccountId, s: Selector, t: Timestamp }
impl VerifiedSession {
    pub fn account(&self) -> AccountId { self.a }
    pub fn selector(&self) -> Selector { self.s }
    pub fn started_at(&self) -> Timestamp { self.t }
    pub fn authenticated_at(&self) -> Timestamp { self.t }
    pub fn last_activity(&self) -> Timestamp { self.t }
    pub fn inactivity_timeout(&self) -> Duration { Duration::ZERO }
    pub fn expires_at(&self) -> Timestamp { self.t }
}
pub enum Check { Live(VerifiedSession), AskStore }
#[derive(Clone, Copy)]
pub enum Notice { PasswordChanged, Ended(EndReason) }
pub struct Notices;
impl futures_util::Stream for Notices {
    type Item = Notice;
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Notice>> { Poll::Ready(None) }
}
pub struct Statistics { pub people: Vec<RoleCount> }
pub struct RoleCount { pub role: Role, pub listed: Count, pub claimed: Count }
pub enum Count { Exactly(u64), FewerThan(u64) }
impl std::fmt::Display for Count { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("x") } }
pub struct ClaimTicket { id: TicketId, s: String, o: OrganizationId, r: Vec<PasswordRequirement> }
impl ClaimTicket {
    pub fn id(&self) -> TicketId { self.id }
    pub fn login_id(&self) -> &str { &self.s }
    pub fn given_name(&self) -> &str { &self.s }
    pub fn family_name(&self) -> &str { &self.s }
    pub fn organization(&self) -> &OrganizationId { &self.o }
    pub fn step(&self) -> TicketStep { TicketStep::Identified }
    pub fn expires_at(&self) -> Timestamp { Timestamp::default() }
    pub fn requirements(&self) -> &[PasswordRequirement] { &self.r }
}
fn no<T>() -> Result<T> { Err(Refusal::NotLoggedIn.into()) }
#[expect(unused_variables, reason = "a stand-in")]
impl Portal {
    pub fn policy(&self) -> &Policy { &self.0 }
    pub fn now(&self) -> Now { Now::exactly(Timestamp::default()) }
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> { Ok([7; N]) }
    pub fn tag(&self, parts: &[&[u8]]) -> Result<[u8; 32]> { no() }
    pub fn check(&self, token: &SessionToken) -> Check { Check::AskStore }
    pub async fn verify_session(&self, token: &SessionToken) -> Result<VerifiedSession> { no() }
    pub async fn record_activity(&self, session: &VerifiedSession, idle_for: Duration) -> Result<()> { no() }
    pub async fn log_in(&self, request: LogIn, asker: &Asker) -> Result<LoggedIn> { no() }
    pub async fn log_out(&self, token: &SessionToken, asker: &Asker) -> Result<()> { no() }
    pub async fn change_password(&self, session: &VerifiedSession, current: Password, new: Password, asker: &Asker) -> Result<LoggedIn> { no() }
    pub async fn profile(&self, session: &VerifiedSession) -> Result<Profile> { no() }
    pub async fn set_default_organization(&self, session: &VerifiedSession, organization: &OrganizationId, asker: &Asker) -> Result<()> { no() }
    pub async fn password_requirements(&self, session: &VerifiedSession) -> Result<Vec<PasswordRequirement>> { no() }
    pub fn subscribe(&self, session: &VerifiedSession) -> Notices { Notices }
    pub fn family_tag(&self, selector: Selector) -> Result<String> { no() }
    pub async fn begin_claim(&self, evidence: ClaimEvidence, browser: &BrowserSecret, asker: &Asker) -> Result<ClaimTicket> { no() }
    pub async fn claim_ticket(&self, id: TicketId, browser: &BrowserSecret) -> Result<ClaimTicket> { no() }
    pub async fn set_claim_password(&self, ticket: &ClaimTicket, browser: &BrowserSecret, password: Password) -> Result<ClaimTicket> { no() }
    pub async fn finish_claim(&self, ticket: &ClaimTicket, browser: &BrowserSecret, answers: SecurityAnswers, asker: &Asker) -> Result<Claimed> { no() }
    pub async fn abandon_claim(&self, id: TicketId, browser: &BrowserSecret) -> Result<()> { no() }
    pub fn questions_required(&self) -> usize { 2 }
    pub async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>> { no() }
    pub async fn organizations(&self) -> Result<Vec<Organization>> { no() }
    pub async fn statistics(&self, session: &VerifiedSession, organization: &OrganizationId) -> Result<Statistics> { no() }
    pub fn resume_tag(&self, account: AccountId, location: &ResumeLocation) -> Result<String> { no() }
    pub fn resume(&self, profile: &Profile, location: Option<ResumeLocation>, tag: Option<&str>) -> Result<Resume> { no() }
}
